import t from 'tap';
import { planConfirmation, planPublication } from '../../../lib/bridge/plan/catalog.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import { holdingsAfter, nothing, wanted } from './catalog-world.ts';
import { record } from './world.ts';

const content = record('A');
const published = planPublication(wanted(content), { index: 0, catalogContents: nothing });
const inPlace = holdingsAfter([...published.first, ...published.rest]);

t.test('a confirmation writes the record, with the checks that differ unless more does', async (t) => {
  const failingOver = wanted(content, { master: masterChecks.failingOver });
  const edited = { ...inPlace, keys: new Map() };
  for (const [what, own, catalogContents, rest] of [
    ['nothing differs', wanted(content), inPlace, []],
    ['a check differs', failingOver, inPlace, ['redis-master:sentinel']],
    ['keys are missing too', failingOver, edited, []],
  ] as const) {
    const change = planConfirmation(own, { index: 3, catalogContents });
    t.match(change.first, [{ kind: 'kv-cas', index: 3 }], what);
    t.equal(change.first.length, 1, what);
    t.strictSame(
      change.rest.map((step) => step.kind === 'check-set' && step.check.id),
      rest,
      what,
    );
  }
});
