import { formatAddress } from '../model/address.ts';
import type { CrashEndKind } from '../model/crash-end.ts';
import { asMap } from '../model/json.ts';
import { parseRecord } from '../model/record.ts';
import type { JournalEntry } from '../telemetry/journal.ts';

/* What each change of master was, put together from the journal's entries about that master. */

/** A change of master in five lines. */
export interface FailoverStory {
  readonly id: number;
  readonly at: string;
  readonly from: string | null;
  readonly to: string;
  readonly generation: number;
  readonly epoch: number;
  /** When and what, who saw the old master down, who led, how long each stage took, what was fenced or lost. */
  readonly lines: readonly string[];
}

/** What happened beside the failovers: the same thing is one entry with a count. */
export interface FoldedEntry {
  readonly summary: string;
  readonly kind: JournalEntry['kind'];
  readonly count: number;
  /** The last time. */
  readonly at: string;
}

/** Sentinel announces, and judges, at most this long before the change. */
const beforeMs = 60_000;

const changes: ReadonlySet<unknown> = new Set(['failover', 'rebase']);

/** `entries`: newest first, all of one master. The stories are newest last. */
export function describeFailovers(entries: readonly JournalEntry[]): readonly FailoverStory[] {
  const inOrder = entries.toReversed();
  const starts = inOrder.flatMap((entry, i) => (isChange(entry) ? [i] : []));
  return starts.flatMap((start, nth) => {
    const from = nth === 0 ? 0 : (starts[nth - 1] ?? 0) + 1;
    const last = nth === 0 ? undefined : inOrder[starts[nth - 1] ?? 0];
    const chapter = { last, before: inOrder.slice(from, start), after: inOrder.slice(start + 1, starts[nth + 1]) };
    return describe(inOrder[start] as JournalEntry, chapter) ?? [];
  });
}

/** Everything else, newest first. */
export function foldOthers(entries: readonly JournalEntry[]): readonly FoldedEntry[] {
  const folded = new Map<string, FoldedEntry>();
  for (const { kind, summary, count, at, ...entry } of entries) {
    if (isChange({ kind, ...entry }) || entry.details.cause === 'confirmed' || entry.loop === 'failover') continue;
    const before = folded.get(`${kind} ${summary}`);
    folded.set(`${kind} ${summary}`, { summary, kind, count: count + (before?.count ?? 0), at: before?.at ?? at });
  }
  return [...folded.values()];
}

function isChange({ loop, kind, details }: Pick<JournalEntry, 'loop' | 'kind' | 'details'>): boolean {
  return loop === 'bridge' && kind === 'applied' && changes.has(details.cause);
}

interface Chapter {
  /** The change before this one. */
  readonly last: JournalEntry | undefined;
  readonly before: readonly JournalEntry[];
  readonly after: readonly JournalEntry[];
}

function describe(entry: JournalEntry, { last, before, after }: Chapter): FailoverStory | undefined {
  const record = parseRecord(JSON.stringify(entry.details.record));
  if (record === undefined) return undefined;
  const { generation, epoch } = record;
  const atMs = Date.parse(entry.at);
  const recent = before.filter(({ at }) => atMs - Date.parse(at) <= beforeMs);
  const planned = after.find(({ loop, kind, details }) => {
    return loop === 'failover' && kind === 'applied' && details.epoch === epoch && details.generation === generation;
  });
  const what = entry.details.cause === 'rebase' ? 'new generation' : planned ? 'planned failover' : 'failover';
  const isSame = entry.details.cause === 'rebase' && masterOf(last) === formatAddress(record.master);
  const from = record.previous === null ? null : formatAddress(record.previous);
  const crash = findCrash({ recent, after, atMs, from });
  const to = formatAddress(record.master);
  const version = `epoch ${epoch}${generation === 1 ? '' : `, generation ${generation}`}`;
  const known = { entry, recent, after, planned, crash };
  return {
    ...{ id: entry.id, at: entry.at, from, to, generation, epoch },
    lines: [
      `${entry.at}  ${what}: ${isSame ? `${to} stays master` : `${from ?? 'nobody'} → ${to}`}, ${version}`,
      `seen down by: ${describeDown(known)}`,
      `led by: ${describeLeader(known)}`,
      `took: ${describeStages(known)}`,
      `former master: ${isSame ? 'none' : describeFence(known)}`,
    ],
  };
}

/** Ends of a judgement that do not say that the process was gone at the end. */
const inconclusive: ReadonlySet<unknown> = new Set(['back', 'stopped', 'unclear'] satisfies CrashEndKind[]);

/** A bridge that ordered nothing, because others did, reports it up to this long after the change. */
const reportMs = 10_000;

/** What this bridge found of the crash that led to this failover: its order, else that others act, else why it ordered nothing. */
function findCrash({
  recent,
  after,
  atMs,
  from,
}: Pick<Known, 'recent' | 'after'> & { readonly atMs: number; readonly from: string | null }) {
  const ofCrash = ({ loop, hints, details }: JournalEntry) =>
    loop === 'crash' && !inconclusive.has(details.end) && hints.some(({ source }) => source === `redis ${from}`);
  const soon = after.filter((entry) => entry.kind === 'fenced' && Date.parse(entry.at) - atMs <= reportMs);
  const crashes = [...recent, ...soon].filter(ofCrash);
  return crashes.find(({ kind }) => kind === 'applied') ?? crashes.at(-1);
}

function masterOf(change: JournalEntry | undefined): string | undefined {
  const record = parseRecord(JSON.stringify(change?.details.record ?? null));
  return record === undefined ? undefined : formatAddress(record.master);
}

interface Known {
  readonly entry: JournalEntry;
  readonly recent: readonly JournalEntry[];
  readonly after: readonly JournalEntry[];
  readonly planned: JournalEntry | undefined;
  readonly crash: JournalEntry | undefined;
}

type SeenHint = { readonly source: string; readonly event: string; readonly atMs: number };

/** Every hint about this failover, oldest first. */
function hintsOf({ entry, recent }: Known): readonly SeenHint[] {
  const hints = [...recent, entry].flatMap(({ at, hints }) =>
    hints.map(({ source, event, agoMs }) => ({ source, event, atMs: Date.parse(at) - agoMs })),
  );
  return hints.toSorted((a, b) => a.atMs - b.atMs);
}

function describeDown(known: Known): string {
  if (known.planned !== undefined) return 'nobody; an operator ordered it';
  const atMs = Date.parse(known.entry.at);
  const first = new Map<string, string>();
  for (const { source, event, atMs: seenMs } of hintsOf(known)) {
    if (event !== '+sdown' && event !== '+odown') continue;
    const word = event === '+sdown' ? 's_down' : 'o_down';
    first.set(`${source} ${word}`, `${source.replace(/^sentinel /, '')} (${word}, ${span(atMs - seenMs)} before)`);
  }
  const seen = [...first.values()];
  const host = known.crash === undefined ? [] : [`this bridge (${known.crash.summary})`];
  if (seen.length + host.length > 0) return [...host, ...seen].join(', ');
  const votes = votesOf(known.entry).filter(({ condition }) => condition !== 'up' && condition !== undefined);
  return votes.map(({ sentinel, condition }) => `${sentinel} (${condition})`).join(', ') || 'not known to this bridge';
}

function describeLeader(known: Known): string {
  const elected = hintsOf(known).findLast(({ event }) => /^\+(?:elected-leader|selected-slave)$/.test(event));
  const failing = votesOf(known.entry).find(({ condition }) => condition === 'failover')?.sentinel;
  const announced = hintsOf(known).find(({ event }) => event === '+switch-master');
  const nameOf = (hint: SeenHint | undefined) => hint?.source.replace(/^sentinel /, '');
  const leader = nameOf(elected) ?? failing;
  if (leader !== undefined) return `Sentinel ${leader}`;
  return announced === undefined ? 'not known to this bridge' : `not known; ${nameOf(announced)} announced it first`;
}

function describeStages({ entry, after, planned }: Known): string {
  const { epoch } = asMap(entry.details.record);
  const texts = Object.entries(asMap(entry.details.stages)).flatMap(([stage, ms]) =>
    typeof ms === 'number' ? [`${stage.replace(/Ms$/, '')} after ${span(ms)}`] : [],
  );
  const confirmation = after.find(({ details }) => {
    return details.cause === 'confirmed' && asMap(details.record).epoch === epoch;
  });
  const sinceMs = (later: JournalEntry) => Date.parse(later.at) - Date.parse(entry.at);
  const confirmed = confirmation === undefined ? [] : [`confirmed ${span(sinceMs(confirmation))} later`];
  const without = planned?.details.withoutWritesMs;
  const isCoordinated = planned?.details.manner === 'coordinated';
  const [most, by] = isCoordinated ? ['at most ', ' (coordinated: the old master handed over)'] : ['', ''];
  const paused = typeof without === 'number' ? [`${most}${span(without)} without writes${by}`] : [];
  return [...texts, ...confirmed, ...paused].join(', ') || span(entry.durationMs);
}

function describeFence({ entry, after, planned, recent }: Known): string {
  const atMs = Date.parse(entry.at);
  // What was done to the former master of an earlier failover belongs to that one.
  const early = recent.filter(({ details }) => details.action === 'pause-before-promotion');
  const steps = [...early, ...after].flatMap(({ loop, kind, summary, at, count, details }) => {
    if (loop !== 'fence' || (details.action === 'pause-before-promotion' && Date.parse(at) > atMs)) return [];
    const ms = Date.parse(at) - atMs;
    const when = ms < 0 ? `${span(-ms)} before` : `${span(ms)} later`;
    const times = count === 1 ? '' : `${count} times, last `;
    return [
      `${kind === 'applied' ? '' : 'failed: '}${summary.replace(/^(?:former )?master \S+: /, '')} (${times}${when})`,
    ];
  });
  // A failover by order is done when the old master is a replica, whoever made it one.
  const isFollowing = planned !== undefined && !steps.some((step) => step.startsWith('made a replica'));
  const { paused, inherited } = asMap(planned?.details.offsets);
  const lost =
    planned === undefined
      ? 'what it acknowledged and no replica had is lost'
      : typeof paused === 'number' && typeof inherited === 'number' && inherited >= paused
        ? 'nothing was lost'
        : 'the new master did not report how much of its data it has';
  return [...steps, ...(isFollowing ? ['made a replica'] : []), lost].join('; ');
}

function votesOf({ details }: JournalEntry): readonly Readonly<Record<string, string>>[] {
  return Array.isArray(details.votes) ? (details.votes as Readonly<Record<string, string>>[]) : [];
}

function span(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms >= 100 ? Math.round(ms) : Math.round(ms * 10) / 10} ms`;
}
