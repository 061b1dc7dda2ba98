import { planIsolation, planWrites } from '../../../../lib/bridge/isolation/plan/plan.ts';
import type { IsolationReading, IsolationState } from '../../../../lib/bridge/isolation/plan/state.ts';
import { at } from '../../plan/world.ts';

export const nowMs = 100_000;
const options = { silenceMs: 2_000 };
/** Nobody is heard. The last acknowledgement is 3 s old. */
const silence: IsolationReading = {
  atMs: nowMs,
  server: { kind: 'master', ackAgeMs: 3_000 },
  sentinels: { known: 3, heard: 0 },
  consul: 'silent',
  replaceable: 'yes',
  successor: undefined,
  record: 'unknown',
  maintenance: undefined,
};
export const connected = (heardMs: number, atMs = nowMs - 250): IsolationState => ({
  ...{ kind: 'connected', by: 'replica', heardMs, atMs },
});
export const byConsul = (consulMs: number, heardMs = nowMs - 250): IsolationState => ({
  ...{ kind: 'connected', by: 'consul', heardMs, consulMs, atMs: heardMs },
});
export const silent = (rounds: number, heardMs: number): IsolationState => ({
  ...{ kind: 'silent', rounds, heardMs, atMs: nowMs - 250 },
});
export const isolated = {
  kind: 'isolated',
  sinceMs: nowMs - 5_000,
  heardMs: nowMs - 8_000,
  atMs: nowMs - 250,
} as const satisfies IsolationState;
export const replaced = {
  ...{
    kind: 'replaced',
    after: 'isolation',
    successor: at('B'),
    by: 'consul',
    sinceMs: nowMs - 2_000,
    atMs: nowMs - 250,
  },
} as const satisfies IsolationState;

export const tooLong = {
  kind: 'inactive',
  why: 'replaced for too long',
  atMs: nowMs - 250,
} as const satisfies IsolationState;
export const unconfirmed: IsolationState = { kind: 'inactive', why: 'successor unconfirmed', atMs: nowMs - 250 };
export const named = { consul: 'heard', successor: at('B'), record: 'confirmed' } as const;
export const promoted = { ...named, record: 'promoted' } as const;
export const acked = (ackAgeMs: number | undefined) => ({ server: { kind: 'master', ackAgeMs } }) as const;

export type Row = readonly [
  when: string,
  before: IsolationState | undefined,
  given: Partial<IsolationReading>,
  state: IsolationState['kind'] | `inactive: ${string}` | `connected: ${string}`,
  writes: ReturnType<typeof planWrites>,
];

/** The state after each of these readings. */
export function planStates(
  before: IsolationState | undefined,
  readings: readonly Partial<IsolationReading>[],
): readonly IsolationState[] {
  return readings.map((given) => planIsolation(before, { ...silence, ...given }, options));
}

/** The result of each row: the state, and what is done about the writes. */
export function planRows(rows: readonly Row[]): readonly (readonly [when: string, found: unknown, wanted: unknown])[] {
  return rows.map(([when, before, given, state, writes]) => {
    const after = planIsolation(before, { ...silence, ...given }, options);
    const detail = after.kind === 'inactive' ? `: ${after.why}` : after.kind === 'connected' ? `: ${after.by}` : '';
    return [when, [`${after.kind}${detail}`, planWrites(before, after)], [state, writes]];
  });
}
