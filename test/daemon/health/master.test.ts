import t from 'tap';
import { judgeMaster } from '../../../lib/daemon/health/master.ts';
import type { MasterState, OutcomeState } from '../../../lib/http/views.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import type { Severity } from '../../../lib/model/severity.ts';
import { addressOf, masterAt } from '../../http/page/world.ts';

const nowMs = Date.parse('2026-01-02T00:00:00.000Z');
const secondsAgo = (seconds: number) => new Date(nowMs - seconds * 1_000).toISOString();

const outcome = (kind: OutcomeState['kind'], summary: string): OutcomeState => ({
  ...{ kind, summary, at: secondsAgo(1), reconcileId: 'a', durationMs: 1, failures: 0, error: null },
});

interface Case {
  readonly title: string;
  readonly master: MasterState;
  readonly lastOutcome?: OutcomeState;
  readonly expected: readonly (readonly [code: string, level: Severity, address?: string])[];
}

const base = masterAt(1);
const replica = addressOf(1, 'replica');
const replicaText = `${replica.host}:${replica.port}`;
const sentinel = (number: number) => `10.9.0.${number}:26379`;

const withRecord = (over: Partial<NonNullable<MasterState['record']>>): MasterState =>
  masterAt(1, { record: base.record && { ...base.record, ...over } });
const changed = (seconds: number, over: Partial<NonNullable<MasterState['record']>> = {}) =>
  withRecord({ previous: addressOf(9), changedAt: secondsAgo(seconds), ...over });
type Vote = MasterState['sentinels'][number];
const withVotes = (master: MasterState, change: (vote: Vote, index: number) => Partial<Vote>): MasterState => ({
  ...master,
  sentinels: master.sentinels.map((vote, i) => ({ ...vote, ...change(vote, i) })),
});
const unreachable = (count: number) =>
  withVotes(base, (_, i) =>
    i < count ? { state: 'unreachable', master: null, epoch: null, flags: [], replicas: [] } : {},
  );
const seenAs = (condition: Vote['replicas'][number]['condition'], master = base) =>
  withVotes(master, () => ({ replicas: [{ address: replica, condition, priority: 100 }] }));

const cases: readonly Case[] = [
  { title: 'a master with a replica in step, and Sentinels that agree', master: base, expected: [] },
  { title: 'no record', master: masterAt(1, { record: null }), expected: [['master-unrecorded', 'unknown']] },
  {
    title: 'a critical check',
    master: masterAt(1, { check: { status: 'critical', output: 'Sentinel: o_down' } }),
    expected: [['master-down', 'critical']],
  },
  {
    title: 'a check that warns',
    master: masterAt(1, { check: { status: 'warning', output: 'Sentinel: s_down' } }),
    expected: [['master-suspected', 'warning']],
  },
  {
    title: 'a failover by order',
    master: withVotes(masterAt(1, { check: { ...masterChecks.failingOver } }), (_, i) =>
      i === 0 ? { flags: ['master', 'failover_in_progress'] } : {},
    ),
    lastOutcome: outcome('held', 'interrupted by an announced failover'),
    expected: [
      ['master-failing-over', 'well'],
      ['master-held', 'well'],
    ],
  },
  {
    title: 'a failover of a master that a Sentinel sees down',
    master: withVotes(masterAt(1, { check: { ...masterChecks.failingOver } }), (_, i) =>
      i === 0 ? { flags: ['master', 's_down', 'o_down', 'failover_in_progress'] } : {},
    ),
    lastOutcome: outcome('held', 'it waits'),
    expected: [
      ['master-down', 'critical'],
      ['master-held', 'warning'],
    ],
  },
  {
    title: 'a bridge that waits while a new master settles',
    master: changed(2),
    lastOutcome: outcome('held', 'a former master still answers as a master'),
    expected: [['master-held', 'well']],
  },
  {
    title: 'a bridge that waits long after a change of master',
    master: changed(31),
    lastOutcome: outcome('held', 'a former master still answers as a master'),
    expected: [['master-held', 'warning']],
  },
  { title: 'no replica', master: withRecord({ replicas: [] }), expected: [['master-without-replica', 'warning']] },
  { title: 'a dead replica', master: seenAs('s_down'), expected: [['replica-down', 'warning', replicaText]] },
  {
    title: 'a replica without its link',
    master: seenAs('link-down'),
    expected: [['replica-not-replicating', 'warning', replicaText]],
  },
  {
    title: 'a replica that no Sentinel knows',
    master: withVotes(base, () => ({ replicas: [] })),
    expected: [['replica-not-replicating', 'warning', replicaText]],
  },
  {
    title: 'a replica that is far behind',
    master: masterAt(1, { replicas: [{ address: replica, lag: { bytes: null, behindMs: 12_000 } }] }),
    expected: [['replica-lags', 'warning', replicaText]],
  },
  {
    title: 'one of three Sentinels in TILT mode',
    master: withVotes(base, (_, i) => (i === 0 ? { tiltSince: secondsAgo(5) } : {})),
    expected: [['sentinel-tilt', 'warning', sentinel(1)]],
  },
  {
    title: 'one Sentinel in TILT mode, and one unreachable: the third is less than the quorum',
    master: withVotes(unreachable(1), (_, i) => (i === 1 ? { tiltSince: secondsAgo(5) } : {})),
    expected: [
      ['sentinel-unreachable', 'warning', sentinel(1)],
      ['sentinel-tilt', 'critical', sentinel(2)],
    ],
  },
  {
    title: 'one of three Sentinels unreachable',
    master: unreachable(1),
    expected: [['sentinel-unreachable', 'warning', sentinel(1)]],
  },
  {
    title: 'two of three Sentinels unreachable',
    master: unreachable(2),
    expected: [
      ['sentinel-unreachable', 'warning', sentinel(1)],
      ['sentinel-unreachable', 'warning', sentinel(2)],
      ['sentinels-lost', 'critical'],
    ],
  },
  {
    title: 'one Sentinel at another epoch',
    master: withVotes(base, (_, i) => (i === 0 ? { epoch: 8 } : {})),
    expected: [['sentinel-differs', 'warning', sentinel(1)]],
  },
  {
    title: 'a majority of Sentinels that names another master',
    master: withVotes(
      masterAt(1, { problems: [{ kind: 'sentinels-disagree', message: '2 of 3 name another' }] }),
      (_, i) => (i < 2 ? { master: addressOf(5) } : {}),
    ),
    expected: [
      ['sentinels-disagree', 'warning'],
      ['record-unbacked', 'critical'],
    ],
  },
  {
    title: 'a problem of the bridge, and the same text as its last outcome',
    master: masterAt(1, { problems: [{ kind: 'held', message: 'it waits' }] }),
    lastOutcome: outcome('held', 'it waits'),
    expected: [['master-held', 'warning']],
  },
  {
    title: 'a failed run',
    master: base,
    lastOutcome: outcome('failed', 'no answer'),
    expected: [['master-failed', 'warning']],
  },
  {
    title: 'a promotion that Sentinel has not announced yet',
    master: changed(2, { phase: 'promoted' }),
    expected: [['master-settling', 'well']],
  },
  {
    title: 'a promotion that Sentinel should have announced',
    master: changed(31, { phase: 'promoted' }),
    expected: [['promotion-unconfirmed', 'warning']],
  },
  {
    title: 'Sentinels and a replica that have not taken over a new master yet',
    master: withVotes(seenAs('link-down', changed(2)), (_, i) => (i === 0 ? { master: addressOf(9), epoch: 6 } : {})),
    expected: [['replica-not-replicating', 'well', replicaText]],
  },
  {
    title: 'a replica of which the Sentinels say that it is a master, and that the bridge has made a replica',
    master: seenAs('master'),
    expected: [['replica-not-replicating', 'warning', replicaText]],
  },
  ...(
    [
      ['a second master that was just found', 'open', 1, base, 'warning'],
      ['a second master that cannot be fenced', 'open', 5, base, 'critical'],
      ['a second master that was just found while a failover settles', 'open', 1, changed(2), 'well'],
      ['a second master that cannot be fenced while a failover settles', 'open', 5, changed(10), 'critical'],
      ['a second master whose writes wait', 'paused', 60, base, 'warning'],
      ['a second master whose writes wait while a failover settles', 'paused', 5, changed(6), 'well'],
      ['a former master that Sentinel alone makes a replica, while a failover settles', 'left', 9, changed(10), 'well'],
      ['a former master that Sentinel did not make a replica', 'left', 31, changed(32), 'critical'],
      ['a server with another use, maybe', 'unlisted', 3_600, changed(7_200), 'warning'],
    ] as const
  ).map(([title, state, seconds, master, level]) => ({
    title,
    master: {
      ...seenAs('master', master),
      secondMasters: [{ address: replica, state, why: null, since: secondsAgo(seconds) }],
    },
    expected: [['second-master', level, replicaText]] as const,
  })),
  {
    title: 'a former master that is dead, right after its failover',
    master: seenAs('s_down', changed(2)),
    expected: [['replica-down', 'warning', replicaText]],
  },
];

for (const { title, master, lastOutcome, expected } of cases) {
  t.test(title, async (t) => {
    const reasons = judgeMaster({ master, lastOutcome, nowMs });
    t.strictSame(
      reasons.map(({ code, level, subject: { address } }) =>
        address === null ? [code, level] : [code, level, address],
      ),
      expected,
    );
    for (const { text, subject } of reasons) t.match([text, subject], [/\S/, { kind: 'master', name: 'shard1' }]);
  });
}
