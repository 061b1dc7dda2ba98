import t from 'tap';
import { formOpinions } from '../../../lib/bridge/apply/opinions.ts';
import type { Finding } from '../../../lib/bridge/finding.ts';
import { rememberMasters } from '../../../lib/bridge/memories.ts';
import { heldMasterCheck, planPublication, planRepair } from '../../../lib/bridge/plan/catalog.ts';
import type { CatalogContents, CatalogOperation } from '../../../lib/model/catalog.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import { type JudgedOutage, judgeOutage } from '../../../lib/model/outage.ts';
import type { RoleAnswer } from '../../../lib/model/sentinel.ts';
import { holdingsAfter, nothing, wanted } from '../plan/catalog-world.ts';
import { at, record, role, view } from '../plan/world.ts';

/* Several bridges and one check in Consul. Every bridge judges it when it said it would, when it has changed, and at the resync. */

const content = record('A');
const resyncMs = 30_000;
/** The time in which the watch shows a write. */
const watchMs = 10;

interface Situation {
  /** Of each bridge, or of all of them: whether it has seen the failover begin, which Sentinel then gave up. */
  readonly failovers?: readonly ('begun' | 'awaited')[];
  readonly unmonitored?: string;
}

const views = [1, 2, 3].map((n) => view(n, 'A', 5, { condition: 'o_down', linked: false, downAfterMs: 10_000 }));

/** A bridge, and what the master answers it at a time. */
type Sees = (nowMs: number) => RoleAnswer['role'];

/** Every change of the check in `untilMs`, as `time code`, from one that says that the master is objectively down. */
function run(
  sees: readonly Sees[],
  { situation, untilMs }: { situation: Situation; untilMs: number },
): readonly string[] {
  const { failovers = [] } = situation;
  const bridges = sees.map((see, i) => ({
    see,
    failover: failovers[i] ?? failovers[0],
    memory: rememberMasters()('m'),
    nextMs: 0,
  }));
  let steps: readonly CatalogOperation[] = publish();
  const changes: string[] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs = Math.min(...bridges.map(({ nextMs }) => nextMs))) {
    for (const bridge of bridges.filter(({ nextMs }) => nextMs <= nowMs)) {
      const { see, failover, memory } = bridge;
      const contents = holdingsAfter(steps);
      const finding = find(contents, { role: see(nowMs), nowMs, failover, unmonitored: situation.unmonitored });
      const { leftMs = resyncMs, ...opinions } = formOpinions(finding, { record: content, memory });
      bridge.nextMs = nowMs + Math.min(resyncMs, Math.ceil(leftMs) + 1);
      const own = { ...wanted(content), ...opinions, replicas: [] };
      const repair = planRepair(own, contents).filter(({ kind }) => kind === 'check-set');
      if (repair.length === 0) continue;
      const written = new Set(repair.map((step) => (step.kind === 'check-set' ? step.check.id : '')));
      steps = [...steps.filter((step) => step.kind !== 'check-set' || !written.has(step.check.id)), ...repair];
      for (const one of bridges) one.nextMs = Math.min(one.nextMs, nowMs + watchMs);
      changes.push(`${nowMs} ${heldMasterCheck(holdingsAfter(steps), at('A'))?.code}`);
    }
  }
  return changes;
}

function publish(): readonly CatalogOperation[] {
  const { first, rest } = planPublication(wanted(content, { master: masterChecks.down }), {
    index: 0,
    catalogContents: nothing,
  });
  return [...first, ...rest];
}

function find(
  catalogContents: CatalogContents,
  seen: {
    readonly role: RoleAnswer['role'];
    readonly nowMs: number;
    readonly failover: 'begun' | 'awaited' | undefined;
    readonly unmonitored: string | undefined;
  },
): Finding {
  const { nowMs, failover, unmonitored } = seen;
  const held = { kind: 'present', record: content, modifyIndex: 1 } as const;
  return {
    name: 'm',
    reading: { held, catalogContents, index: 1n, resets: 0 },
    held,
    past: {} as Finding['past'],
    views: failover === undefined ? [] : views,
    complete: true,
    role: role('A', seen.role),
    wokenMs: nowMs,
    observedMs: nowMs,
    unmonitored,
    outage: failover === undefined ? undefined : judge(failover, { catalogContents, nowMs }),
  };
}

function judge(
  failover: 'begun' | 'awaited',
  { catalogContents, nowMs }: { readonly catalogContents: CatalogContents; readonly nowMs: number },
): JudgedOutage {
  const outage = { master: at('A'), sinceMs: 0, limitMs: 1_000_000, failover };
  return judgeOutage(outage, {
    views,
    knownSentinels: 3,
    held: heldMasterCheck(catalogContents, at('A')),
    nowMs,
  });
}

const reaches: Sees = () => 'master';
const never: Sees = () => 'unreachable';
const until =
  (ms: number): Sees =>
  (nowMs) =>
    nowMs < ms ? 'master' : 'unreachable';

const situations: readonly (readonly [string, Situation, { readonly reached: string; readonly down: string }])[] = [
  ['that Sentinel gave up', { failovers: ['begun'] }, { reached: 'answering', down: 'given-up' }],
  ['that no Sentinel monitors', { unmonitored: 'none' }, { reached: 'unmonitored', down: 'unmonitored-down' }],
];
for (const [what, situation, { reached, down }] of situations) {
  const doubted = `${reached}-doubted`;
  const codes = (changes: readonly string[]) => changes.map((change) => change.split(' ')[1]);

  t.test(`bridges of which some reach a master ${what} never make it critical`, async (t) => {
    for (const sees of [
      [reaches, never],
      [never, reaches],
      [never, never, reaches],
    ]) {
      const changes = run(sees, { situation, untilMs: 300_000 });
      t.strictSame([...new Set(codes(changes))].toSorted(), [reached, doubted].toSorted());
      t.ok(changes.length < 60, `${changes.length} writes in 5 minutes`);
    }
  });

  t.test(`a master ${what} and that no bridge reaches is critical after 5 s`, async (t) => {
    for (const sees of [[never], [never, never], [never, never, never]]) {
      const changes = run(sees, { situation, untilMs: 60_000 });
      t.strictSame(codes(changes), [doubted, down]);
      const [endedMs] = changes.at(-1)?.split(' ') ?? [];
      t.ok(Number(endedMs) >= 5_000 && Number(endedMs) < 5_100, `at ${endedMs} ms`);
    }
  });

  t.test(`a master ${what} and that stops answering becomes critical, and stays so`, async (t) => {
    const changes = run([until(30_000), until(20_000), never], { situation, untilMs: 200_000 });
    t.strictSame(codes(changes).slice(-2), [doubted, down]);
    const [endedMs] = changes.at(-1)?.split(' ') ?? [];
    t.ok(Number(endedMs) > 30_000 && Number(endedMs) < 30_000 + resyncMs + 40_100, `at ${endedMs} ms`);
  });

  t.test(`a master ${what} is no longer critical when a bridge reaches it again`, async (t) => {
    const back: Sees = (nowMs) => (nowMs < 60_000 ? 'unreachable' : 'master');
    const changes = run([back, never], { situation, untilMs: 60_000 + resyncMs + 1_000 });
    t.strictSame(codes(changes).slice(0, 3), [doubted, down, reached]);
  });
}

t.test('a bridge that expects a failover leaves the question to one that knows that Sentinel gave up', async (t) => {
  // The second bridge asks, and sees first that nobody answers.
  const changes = run([until(14_000), never], { situation: { failovers: ['begun', 'awaited'] }, untilMs: 60_000 });
  const codes = changes.map((change) => change.split(' ')[1]);
  t.strictSame(codes, ['answering', 'answering-doubted', 'given-up']);
});
