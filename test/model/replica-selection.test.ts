import t from 'tap';
import { isSelectable } from '../../lib/model/replica-selection.ts';
import type { ReplicaView } from '../../lib/model/sentinel.ts';
import { at } from '../bridge/plan/world.ts';

const up: ReplicaView = {
  address: at('B'),
  condition: 'up',
  priority: 100,
  masterLinkDownMs: 0,
  pingAgeMs: 0,
  infoAgeMs: 0,
};
/** A Sentinel that sees the master up, and one that has seen it down for 2 s. */
const sees = { up: { downAfterMs: 1_000 }, down: { downAfterMs: 1_000, suspectedForMs: 2_000 } };

/** What differs from a replica in sync, and whether Sentinel selects it while the master is up and while it is down. */
const rows: readonly (readonly [string, Partial<ReplicaView>, 'selects' | 'ignores', 'selects' | 'ignores'])[] = [
  ['nothing', {}, 'selects', 'selects'],
  ['its link to the master is down', { condition: 'link-down' }, 'selects', 'selects'],
  ['it reports that it is a master', { condition: 'master' }, 'selects', 'selects'],
  ['it is subjectively down', { condition: 's_down' }, 'ignores', 'ignores'],
  ['Sentinel has no link to it', { condition: 'unlinked' }, 'ignores', 'ignores'],
  ['its priority is 0', { priority: 0 }, 'ignores', 'ignores'],
  ['it answered a PING 5 s ago', { pingAgeMs: 5_000 }, 'selects', 'selects'],
  ['it answered a PING more than 5 s ago', { pingAgeMs: 5_001 }, 'ignores', 'ignores'],
  ['its INFO is 5 s old', { infoAgeMs: 5_000 }, 'selects', 'selects'],
  ['its INFO is older than 5 s', { infoAgeMs: 5_001 }, 'selects', 'ignores'],
  ['its INFO is older than 30 s', { infoAgeMs: 30_001 }, 'ignores', 'ignores'],
  ['its link is down for ten times down-after', { masterLinkDownMs: 10_000 }, 'selects', 'selects'],
  ['its link is down for longer', { masterLinkDownMs: 10_001 }, 'ignores', 'selects'],
  ['its link went down long before the master', { masterLinkDownMs: 12_001 }, 'ignores', 'ignores'],
];

for (const [what, changes, whileUp, whileDown] of rows) {
  t.test(`Sentinel's selection of a replica: ${what}`, async (t) => {
    const replica = { ...up, ...changes };
    t.equal(isSelectable(replica, sees.up), whileUp === 'selects', 'the master is up');
    t.equal(isSelectable(replica, sees.down), whileDown === 'selects', 'the master is down');
  });
}

t.test('what a Sentinel has not reported yet counts as good, with its own default of down-after', async (t) => {
  const replica: ReplicaView = { address: at('B'), condition: 'link-down' };
  t.equal(isSelectable(replica, {}), true);
  t.equal(isSelectable({ ...replica, masterLinkDownMs: 300_001 }, {}), false);
});
