import { type Fault, movesMaster } from './faults.ts';
import type { Result } from './rounds.ts';

/** One client in one fault, through the endpoint and at the Sentinels. */
export interface Row {
  readonly fault: Fault;
  readonly library: string;
  /** How long the library itself waits before it asks its Sentinels again. */
  readonly stepMs: number;
  readonly endpoint: Result;
  readonly sentinels: Result;
}

/** What a client may be later than its peer, and how long it may pause without a failover: the noise of a busy machine. */
const toleranceMs = 100;
const pauseMs = 1_000;

/**
 * What is wrong in a row; undefined if nothing is. Of two clients that wait in the same steps, one may ask a step later than
 * the other. At a restart of the endpoint it may ask twice too early: while nobody
 * listens, and before the records were read.
 */
export function findDefect({ fault, library, stepMs, endpoint, sentinels }: Row): string | undefined {
  const { withoutMs } = endpoint;
  if (!Number.isFinite(withoutMs)) return `${fault}: ${library} is not back through the endpoint`;
  const isCompared = fault === 'kill -9' || fault === 'SENTINEL FAILOVER';
  if (isCompared && withoutMs > sentinels.withoutMs + toleranceMs + stepMs)
    return `${fault}: ${library} is later through the endpoint than at the Sentinels`;
  if (!movesMaster(fault) && withoutMs > sentinels.withoutMs + pauseMs + 2 * stepMs)
    return `${fault}: ${library} pauses through the endpoint`;
  return undefined;
}

export function formatTable(rows: readonly Row[]): string {
  const head = ['fault', 'client', 'ms endpoint', 'ms Sentinels', 'lost endpoint', 'of', 'lost Sentinels', 'of'];
  const lines = rows.map(({ fault, library, endpoint, sentinels }) => [
    fault,
    library,
    ...[endpoint, sentinels].map(({ withoutMs }) =>
      Number.isFinite(withoutMs) ? `${Math.round(withoutMs)}` : 'never',
    ),
    ...[endpoint, sentinels].flatMap(({ lost, acknowledged }) => [String(lost), String(acknowledged)]),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const pad = (cell: string, i: number) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return [head, ...lines].map((line) => line.map(pad).join('  ')).join('\n');
}
