import t from 'tap';
import { newestPromotion, replicasAfter } from '../../../lib/bridge/plan/promotion.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { all } from './decision-table.ts';
import { five, leader } from './promotion-world.ts';
import { at, view } from './world.ts';

/** The same Sentinel; the bridge missed its first messages. */
function unheard(changes: Partial<SentinelView> = {}): SentinelView {
  const { election: _, ...missed } = leader();
  return { ...missed, ...changes };
}

const candidates: readonly (readonly [string, readonly SentinelView[], string | undefined])[] = [
  ['nobody leads', all('A', 5), undefined],
  ['the leader announced it', [leader(), view(2, 'A', 5)], '6 B'],
  ['the leader has seen it', [unheard({ configEpoch: 6, promotion: 'seen' })], '6 B'],
  ['the leader was heard, and has seen it', [leader({ configEpoch: 6, promotion: 'seen' })], '6 B'],
  ['its beginning was not heard, and it has not seen the promotion yet', [unheard()], undefined],
  [
    'its config-epoch belongs to a master that was missed, not to its failover',
    [unheard({ master: at('C'), configEpoch: 7 })],
    undefined,
  ],
  ['it announced another replica than it promotes', [leader({ election: { epoch: 6, selected: at('C') } })], undefined],
  ['it has not selected yet', [view(1, 'A', 5, { condition: 'failover' })], undefined],
  ['it says it promotes its own master', [leader({ master: at('B') })], undefined],
  ['it is not failing over any more', [leader({ condition: 'up' })], undefined],
  ['its epoch is the record’s', [leader({ election: { epoch: 5, selected: at('B') } })], undefined],
  ['its epoch is older than the record’s', [leader({ election: { epoch: 4, selected: at('B') } })], undefined],
  [
    'two lead: the newer counts',
    [leader(), { ...leader({ promoting: at('C'), election: { epoch: 7, selected: at('C') } }), sentinelId: 's2' }],
    '7 C',
  ],
];
for (const [when, views, expected] of candidates) {
  t.test(`the newest promotion: ${when}`, async (t) => {
    const found = newestPromotion(views, five);
    t.equal(found && `${found.epoch} ${String.fromCharCode(64 + found.selected.port - 6300)}`, expected);
  });
}

t.test('the new master has the other replicas and the old master', async (t) => {
  const promotion = newestPromotion([leader()], five);
  t.strictSame(promotion && replicasAfter(promotion), [at('C'), at('A')]);
});
