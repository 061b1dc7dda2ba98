import t from 'tap';
import { Removals } from '../../lib/provisioner/removals.ts';

t.test('a removal is answered at once, and further ones once a second', (t) => {
  const removals = new Removals();
  const at = (nowMs: number, name = 'm') => removals.delayMs(name, nowMs);
  t.equal(at(5_000), 0);
  t.equal(at(5_300), 700);
  t.equal(at(5_900), 100, 'the run that is still to come');
  t.equal(at(5_900, 'other'), 0, 'each master for itself');
  t.equal(at(6_001), 999, 'a second after that run');
  t.equal(at(9_000), 0);
  t.end();
});
