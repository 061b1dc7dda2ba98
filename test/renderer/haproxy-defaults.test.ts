import t from 'tap';
import { mayStartAsRoot } from '../../lib/renderer/observe/haproxy-defaults.ts';

const status = (mask: string) =>
  `Name:\tnode\nCapPrm:\t0000000000000001\nCapEff:\t${mask}\nCapBnd:\t0000000000000001\n`;
// CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER and CAP_KILL.
const packaged = status('000000000000002b');

t.test('HAProxy may start as root if the daemon is root, or has CAP_CHOWN', (t) => {
  t.equal(mayStartAsRoot({ uid: 0, status: '' }, undefined), true);
  t.equal(mayStartAsRoot({ uid: 998, status: packaged }, undefined), true);
  t.equal(mayStartAsRoot({ uid: 998, status: packaged }, { kind: 'haproxy' }), true);
  t.equal(mayStartAsRoot({ uid: 998, status: status('0000000000000400') }, undefined), false);
  t.equal(mayStartAsRoot({ uid: 998, status: status('0000000000000000') }, undefined), false);
  t.equal(mayStartAsRoot({ uid: 998, status: '' }, undefined), false);
  t.end();
});

t.test('a HAProxy that the daemon supervises starts as the daemon does', (t) => {
  t.equal(mayStartAsRoot({ uid: 0, status: packaged }, { kind: 'supervise' }), true);
  t.equal(mayStartAsRoot({ uid: 998, status: packaged }, { kind: 'supervise' }), false);
  t.end();
});
