import t from 'tap';
import { completeRecord } from '../../../lib/bridge/plan/decision.ts';
import { decide } from '../../../lib/bridge/plan/failover.ts';
import { all } from './decision-table.ts';
import { at, held, record, role, situation, view } from './world.ts';

const five = record('A', { epoch: 5 });

t.test('the wait for a new generation keeps its start time', async (t) => {
  const lagging = { master: at('B'), epoch: 1, sinceMs: 995_000 };
  t.match(decide(situation({ held: held(five), views: all('B', 1), lagging })), { lagging });
  const asked = decide(situation({ held: held(five), views: all('B', 1), lagging: { ...lagging, sinceMs: 0 } }));
  t.match(asked, { kind: 'ask-role', lagging: { sinceMs: 0 } });
});

t.test('decide is pure: it changes none of its input', async (t) => {
  const given = situation({ held: held(five), views: all('B', 6), role: role('B', 'master') });
  const before = JSON.stringify(given);
  t.strictSame(decide(given), decide(given));
  t.equal(JSON.stringify(given), before);
});

t.test('every refusal names its masters and epochs', async (t) => {
  const conflict = decide(situation({ held: held(five), views: all('B', 5) }));
  t.match(conflict, { summary: /epoch 5 is 10\.0\.0\.1:6301 by the record and 10\.0\.0\.2:6302 by the Sentinels/ });
  const older = decide(situation({ held: held(five), views: [view(1, 'B', 4)] }));
  t.match(older, { summary: /10\.0\.0\.2:6302 at epoch 4, older than epoch 5/ });
});

t.test('a completed record is signed by who made its master', async (t) => {
  const signature = { name: 'm', changedAt: 'now', changedBy: 'me' };
  const moved = decide(situation({ held: held(five), views: all('B', 6), role: role('B', 'master') }));
  const confirmed = decide(situation({ held: held({ ...five, phase: 'promoted' }), views: all('A', 5) }));
  if (moved.kind !== 'publish' || confirmed.kind !== 'publish') throw new Error('both are to publish');
  t.match(completeRecord(moved.draft, signature), {
    version: 1,
    name: 'm',
    changedAt: 'now',
    changedBy: 'me',
    epoch: 6,
  });
  t.strictSame(completeRecord(confirmed.draft, signature), five);
});
