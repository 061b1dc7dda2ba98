import t from 'tap';
import { mayChangeOwners } from '../../lib/renderer/observe/haproxy-defaults.ts';

t.test('a daemon that is not root may change owners if it has CAP_CHOWN', (t) => {
  const status = (mask: string) =>
    `Name:\tnode\nCapPrm:\t0000000000000001\nCapEff:\t${mask}\nCapBnd:\t0000000000000001\n`;
  // CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER and CAP_KILL: those of the packaged unit.
  t.equal(mayChangeOwners(status('000000000000002b')), true);
  t.equal(mayChangeOwners(status('0000000000000400')), false);
  t.equal(mayChangeOwners(status('0000000000000000')), false);
  t.equal(mayChangeOwners(''), false);
  t.end();
});
