import type { RunReport } from '../loop/outcome.ts';
import { capped, TextBudget } from './capped.ts';
import type { Repetition } from './repetition.ts';
import { type SerializedError, serializeError } from './serialize.ts';

/** The outcome of one run of a key, with everything that led to it. */
export interface JournalEntry {
  /** Rises from entry to entry, and from one start of the daemon to the next. An entry gets a new one when its count doubles. */
  readonly id: number;
  /** The id that it had first. */
  readonly firstId: number;
  /** ISO 8601, when the run ended: the last one, if it was repeated. */
  readonly at: string;
  /** ISO 8601, when the first of these runs ended. */
  readonly firstAt: string;
  /** How often this happened in a row. */
  readonly count: number;
  readonly loop: string;
  readonly key: string;
  readonly reconcileId: string;
  readonly kind: 'applied' | 'fenced' | 'held' | 'failed';
  readonly summary: string;
  /** What woke the key, and how long before the end of the run. */
  readonly hints: readonly { readonly source: string; readonly event: string; readonly agoMs: number }[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly error: SerializedError | null;
  readonly durationMs: number;
  readonly failures: number;
}

/** How many characters an entry may have, without its ids and times. */
const maxEntryCharacters = 64 * 1024;

/** A run as an entry of the journal, bounded in size. */
export function toEntry(
  report: RunReport,
  { repetition, ids }: { readonly repetition: Repetition; readonly ids: Pick<JournalEntry, 'id' | 'firstId'> },
): JournalEntry {
  const { outcome, startedMs, durationMs } = report;
  const endedMs = startedMs + durationMs;
  const budget = new TextBudget(maxEntryCharacters);
  const text = (value: string) => capped(value, budget) as string;
  return {
    ...ids,
    at: new Date(repetition.lastMs).toISOString(),
    firstAt: new Date(repetition.firstMs).toISOString(),
    count: repetition.count,
    loop: report.loop,
    key: report.key,
    reconcileId: report.reconcileId,
    kind: outcome.kind === 'unchanged' ? 'applied' : outcome.kind,
    summary: text(summaryOf(report)),
    hints: report.hints.slice(0, 20).map(({ source, event, receivedMs }) => ({
      source: text(source),
      event: text(event),
      agoMs: round(endedMs - receivedMs),
    })),
    error: outcome.kind === 'failed' ? cappedError(serializeError(outcome.error), budget) : null,
    details: cappedRecord(outcome.details ?? {}, budget),
    durationMs: round(durationMs),
    failures: report.failures,
  };
}

/** The mark of a cut is a text, and readers expect a record. */
function cappedRecord(value: Readonly<Record<string, unknown>>, budget: TextBudget): Record<string, unknown> {
  const copy = capped(value, budget);
  return isRecord(copy) ? copy : {};
}

/** With its code and message, and what else fits. */
function cappedError({ code, message, details, causes, stack }: SerializedError, budget: TextBudget): SerializedError {
  const short = capped(message) as string;
  budget.spend(short.length);
  return {
    code,
    message: short,
    ...(details === undefined ? {} : { details: cappedRecord(details, budget) }),
    ...(causes === undefined ? {} : { causes: causes.map((cause) => capped(cause, budget) as string) }),
    ...(stack === undefined ? {} : { stack: capped(stack, budget) as string }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** About how many characters an entry has. */
export function sizeOf({ summary, hints, error, details, key }: JournalEntry): number {
  const budget = new TextBudget(maxEntryCharacters);
  capped([key, summary, hints, error, details], budget);
  return 300 + budget.spent;
}

function summaryOf({ outcome }: RunReport): string {
  if (outcome.kind === 'failed') return outcome.error.message;
  return outcome.kind === 'unchanged' ? '' : outcome.summary;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
