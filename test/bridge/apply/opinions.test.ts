import t from 'tap';
import { formOpinions } from '../../../lib/bridge/apply/opinions.ts';
import type { Finding } from '../../../lib/bridge/finding.ts';
import { rememberMasters } from '../../../lib/bridge/memory.ts';
import { heldMasterCheck, planPublication, planRepair } from '../../../lib/bridge/plan/catalog.ts';
import type { CatalogContents, CatalogOperation } from '../../../lib/model/catalog.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import type { JudgedOutage } from '../../../lib/model/outage.ts';
import type { RoleAnswer } from '../../../lib/model/sentinel.ts';
import { holdingsAfter, nothing, wanted } from '../plan/catalog-world.ts';
import { at, record, role, view } from '../plan/world.ts';

/* Several bridges and one check in Consul. Every bridge judges it twice a second, and when it has changed. */

const content = record('A');
const givenUp: JudgedOutage = { master: at('A'), stage: 'given-up' };
const stepMs = 500;

interface Situation {
  readonly outage?: JudgedOutage;
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
  const bridges = sees.map((see) => ({ see, memory: rememberMasters()('m') }));
  let steps: readonly CatalogOperation[] = publish();
  const changes: string[] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs += stepMs) {
    for (const { see, memory } of bridges) {
      const contents = holdingsAfter(steps);
      const finding = find(contents, { role: see(nowMs), nowMs, situation });
      const { leftMs, ...opinions } = formOpinions(finding, { record: content, memory });
      const own = { ...wanted(content), ...opinions, replicas: [] };
      const repair = planRepair(own, contents).filter(({ kind }) => kind === 'check-set');
      if (repair.length === 0) continue;
      const written = new Set(repair.map((step) => (step.kind === 'check-set' ? step.check.id : '')));
      steps = [...steps.filter((step) => step.kind !== 'check-set' || !written.has(step.check.id)), ...repair];
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
  seen: { readonly role: RoleAnswer['role']; readonly nowMs: number; readonly situation: Situation },
): Finding {
  const held = { kind: 'present', record: content, modifyIndex: 1 } as const;
  return {
    name: 'm',
    reading: { held, catalogContents, index: 1n, resets: 0 },
    held,
    past: {} as Finding['past'],
    views: seen.situation.outage === undefined ? [] : views,
    complete: true,
    role: role('A', seen.role),
    wokenMs: seen.nowMs,
    observedMs: seen.nowMs,
    ...seen.situation,
  };
}

const reaches: Sees = () => 'master';
const never: Sees = () => 'unreachable';
const until =
  (ms: number): Sees =>
  (nowMs) =>
    nowMs < ms ? 'master' : 'unreachable';

const situations: readonly (readonly [string, Situation, { readonly reached: string; readonly down: string }])[] = [
  ['that Sentinel gave up', { outage: givenUp }, { reached: 'answering', down: 'given-up' }],
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
    t.strictSame(run([never, never], { situation, untilMs: 60_000 }), [`0 ${doubted}`, `5000 ${down}`]);
  });

  t.test(`a master ${what} and that stops answering becomes critical, and stays so`, async (t) => {
    const changes = run([until(30_000), until(20_000), never], { situation, untilMs: 200_000 });
    t.strictSame(codes(changes).slice(-2), [doubted, down]);
    const [endedMs] = changes.at(-1)?.split(' ') ?? [];
    t.ok(Number(endedMs) > 30_000 && Number(endedMs) < 30_000 + 45_000, `at ${endedMs} ms`);
  });

  t.test(`a master ${what} is no longer critical when a bridge reaches it again`, async (t) => {
    const back: Sees = (nowMs) => (nowMs < 60_000 ? 'unreachable' : 'master');
    t.strictSame(codes(run([back, never], { situation, untilMs: 62_000 })), [doubted, down, reached]);
  });
}
