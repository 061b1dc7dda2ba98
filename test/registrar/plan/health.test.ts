import t from 'tap';
import { instanceKind, instanceKindNames } from '../../../lib/model/instance-kinds.ts';
import type { ProbeResult, RedisProbeResult } from '../../../lib/model/probe-result.ts';
import { judge } from '../../../lib/registrar/kinds/table.ts';
import { InstanceMemory } from '../../../lib/registrar/memory.ts';
import type { Judging } from '../../../lib/registrar/plan/health.ts';
import { addVerdict, type Hysteresis, isPending } from '../../../lib/registrar/plan/hysteresis.ts';

const well: RedisProbeResult = {
  kind: 'redis',
  runId: 'one',
  version: '7.0.15',
  loading: false,
  role: 'master',
  link: undefined,
  memoryFull: false,
  saveFailed: false,
  appendFailed: false,
  cluster: undefined,
};
const replica: RedisProbeResult = {
  ...well,
  role: 'replica',
  link: { up: true, silentMs: 0, downMs: 0, syncing: false },
};
const judging: Judging = { expected: 'unknown', mismatchMs: 0, settings: { maxLagMs: 10_000, maxLinkDownMs: 60_000 } };

function statusOf(result: ProbeResult, over: Partial<Judging> = {}): string {
  const kind = instanceKindNames.find((name) => instanceKind(name).answer === result.kind) ?? 'redis';
  const { status, urgent } = judge(kind, { result, judging: { ...judging, ...over } });
  return urgent ? `${status} at once` : status;
}

t.test('the verdict follows from what the probe found and from the role in the record', async (t) => {
  const down = { up: false, silentMs: undefined, downMs: 1_000, syncing: false };
  const table: readonly (readonly [string, ProbeResult, Partial<Judging>, string])[] = [
    ['all is well', well, {}, 'passing'],
    ['refused', { kind: 'unreachable', why: 'refused' }, {}, 'critical'],
    ['no answer', { kind: 'unreachable', why: 'timeout' }, {}, 'critical'],
    ['denied', { kind: 'denied' }, {}, 'warning'],
    ['loading', { ...well, loading: true }, {}, 'critical'],
    ['an old master', well, { expected: 'replica', mismatchMs: Number.POSITIVE_INFINITY }, 'critical at once'],
    [
      'an old master that loads',
      { ...well, loading: true },
      { expected: 'replica', mismatchMs: 9_999 },
      'critical at once',
    ],
    ['being promoted', well, { expected: 'replica', mismatchMs: 1_000 }, 'warning'],
    ['no master any more', replica, { expected: 'master', mismatchMs: Number.POSITIVE_INFINITY }, 'critical'],
    ['a replica', replica, { expected: 'replica' }, 'passing'],
    ['a master that is not proven to be another one', well, { proof: 'missing' }, 'warning'],
    ['such a master that loads', { ...well, loading: true }, { proof: 'missing' }, 'critical'],
    ['a replica that the record does not list', replica, { proof: 'missing' }, 'passing'],
    ['a proxy without its statistics', { kind: 'proxy', version: '', broken: [], stats: 'unreadable' }, {}, 'warning'],
    ['a link down', { ...replica, link: down }, {}, 'warning'],
    ['a link down for long', { ...replica, link: { ...down, downMs: 60_001 } }, {}, 'critical'],
    ['lagging', { ...replica, link: { up: true, silentMs: 10_001, downMs: 0, syncing: false } }, {}, 'warning'],
    ['memory full', { ...well, memoryFull: true }, {}, 'warning'],
    ['bgsave failed', { ...well, saveFailed: true }, {}, 'warning'],
    ['AOF failed', { ...well, appendFailed: true }, {}, 'warning'],
    ['cluster down', { ...well, cluster: { state: 'fail', slotsAssigned: 0 } }, {}, 'critical'],
    ['TILT', { kind: 'sentinel', runId: '', version: '7', tilt: true, masters: 1, withoutQuorum: [] }, {}, 'warning'],
    [
      'no quorum',
      { kind: 'sentinel', runId: '', version: '7', tilt: false, masters: 1, withoutQuorum: ['a'] },
      {},
      'warning',
    ],
    ['a dead backend', { kind: 'proxy', version: '', broken: ['a'] }, {}, 'warning'],
  ];
  for (const [what, probeResult, over, wanted] of table) t.equal(statusOf(probeResult, over), wanted, what);
});

t.test('a check changes after fall or rise consecutive verdicts, and at once after an urgent one', async (t) => {
  const settings = { fall: 2, rise: 3 };
  const verdict = (status: 'passing' | 'warning' | 'critical', urgent: boolean) => ({ status, output: status, urgent });
  const after = (verdicts: readonly ReturnType<typeof verdict>[]): string[] => {
    let state: Hysteresis | undefined;
    return verdicts.map((one) => {
      state = addVerdict(state, one, settings);
      return `${state.status}${isPending(state) ? '?' : ''}`;
    });
  };
  const [good, bad, worst] = [verdict('passing', false), verdict('critical', false), verdict('critical', true)];
  t.strictSame(after([bad, good, good, good]), ['critical', 'critical?', 'critical?', 'passing']);
  t.strictSame(after([good, bad, good, bad, bad]), ['passing', 'passing?', 'passing', 'passing?', 'critical']);
  t.strictSame(after([good, worst]), ['passing', 'critical']);
});

t.test('only a process that had the role of the record, and then took another, is being promoted', async (t) => {
  const memory = new InstanceMemory();
  const at = (probeResult: ProbeResult, expected: 'master' | 'replica' | 'unknown', nowMs: number) =>
    memory.mismatchMs(probeResult, { expected, nowMs });
  t.equal(at(well, 'replica', 0), Number.POSITIVE_INFINITY, 'it began as a master');
  t.equal(at(replica, 'replica', 1), 0);
  t.equal(at(well, 'replica', 2), 0, 'promoted just now');
  t.equal(at(well, 'replica', 1_002), 1_000);
  t.equal(at(well, 'master', 1_003), 0, 'the record has followed');
  t.equal(at(well, 'replica', 1_004), Number.POSITIVE_INFINITY, 'the record has moved on');
  t.equal(at(replica, 'replica', 1_005), 0);
  t.equal(at({ ...well, runId: 'two' }, 'replica', 1_006), Number.POSITIVE_INFINITY, 'it was restarted');
  t.equal(at({ kind: 'unreachable', why: 'refused' }, 'replica', 1_007), 0);
  t.equal(at(well, 'unknown', 1_008), 0);
});
