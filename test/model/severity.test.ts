import t from 'tap';
import { compareSeverities, worstSeverity } from '../../lib/model/severity.ts';

t.test('the worst severity of several is found, and the worst sorts first', async (t) => {
  t.equal(worstSeverity([]), 'well');
  t.equal(worstSeverity(['well', 'unknown']), 'unknown');
  t.equal(worstSeverity(['warning', 'critical', 'unknown']), 'critical');
  t.strictSame((['well', 'critical', 'unknown', 'warning'] as const).toSorted(compareSeverities), [
    'critical',
    'warning',
    'unknown',
    'well',
  ]);
});
