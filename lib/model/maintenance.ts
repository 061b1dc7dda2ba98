import { parseJsonObject } from './json.ts';
import { shellWord } from './shell-words.ts';

/* Maintenance: the time in which switchmaster follows what Sentinel decides, and orders nothing itself. */

/** The key of the journal's entries about all masters. */
export const allMastersKey = '*';

/** The masters that a key of maintenance is about: one by its name, or `null` for all of them. */
export type MaintenanceScope = string | null;

/** The value of a key of maintenance. Times are ISO 8601. */
export interface MaintenanceNote {
  readonly by: string | null;
  readonly at: string | null;
  /** `null`: it has no end. */
  readonly until: string | null;
  readonly reason: string | null;
  /** Why the value cannot be read. Such a value counts as maintenance without an end. */
  readonly fault: string | null;
}

/** Maintenance as one daemon has it. */
export interface Maintenance {
  readonly note: MaintenanceNote;
  /** The value that the note was read from. */
  readonly text: string;
  /** When it ends here, in milliseconds of `performance.now()`; `undefined` where it has no end. */
  readonly endsMs: number | undefined;
  /** The same time by this machine's clock, ISO 8601. */
  readonly endsAt: string | null;
  /** When it has ended everywhere, whatever the clocks say, so that its key may be deleted. */
  readonly overMs: number | undefined;
}

export type Maintenances = ReadonlyMap<MaintenanceScope, Maintenance>;

/** The present, in milliseconds: by the monotonic clock (`performance.now()`) and since 1970. */
export interface Present {
  readonly nowMs: number;
  readonly wallMs: number;
}

export function formatNote(note: Omit<MaintenanceNote, 'fault'>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(note).filter(([, value]) => value !== null)));
}

/** Every daemon that watches the key has seen the end by then. */
const graceMs = 2_000;

/** Never fails: an unreadable value counts as maintenance, because whoever wrote the key wanted maintenance. */
export function readNote(text: string): MaintenanceNote {
  const json = parseJsonObject(text);
  if (json === undefined) return faulty('it is not a JSON object');
  const wrong = ['by', 'at', 'until', 'reason'].find((field) => !isTextOrAbsent(json[field]));
  if (wrong !== undefined) return faulty(`"${wrong}" is not a string`);
  const { by = null, at = null, until = null, reason = null } = json as Partial<Record<string, string | null>>;
  const untimely = [at, until].find((time) => time !== null && !isInstant(time));
  if (untimely !== undefined) return faulty(`"${untimely}" is not a time such as 2026-01-31T12:00:00Z`);
  if (at !== null && until !== null && Date.parse(until) < Date.parse(at)) return faulty('"until" is before "at"');
  return { by, at, until, reason, fault: null };
}

function faulty(fault: string): MaintenanceNote {
  return { by: null, at: null, until: null, reason: null, fault };
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

/** With a time zone: without one, each machine would read it in its own. */
function isInstant(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
  );
}

/**
 * How long it lasts from the moment at which a daemon sees the note first: until its end by this machine's clock, but no longer
 * than it was ordered for. So a clock that is behind does not prolong it. `undefined`: it has no end.
 */
export function lastingMs(note: MaintenanceNote, wallMs: number): number | undefined {
  if (note.until === null) return undefined;
  const leftMs = Date.parse(note.until) - wallMs;
  return Math.max(0, Math.min(leftMs, orderedMs(note) ?? leftMs));
}

function orderedMs({ at, until }: MaintenanceNote): number | undefined {
  return at === null || until === null ? undefined : Date.parse(until) - Date.parse(at);
}

/** The maintenance of each scope, by the values of its keys. A value that stays the same keeps the end that it had. */
export function trackMaintenance(
  before: Maintenances,
  values: ReadonlyMap<MaintenanceScope, string>,
  { nowMs, wallMs }: Present,
): Maintenances {
  const toMaintenance = (text: string): Maintenance => {
    const note = readNote(text);
    const leftMs = lastingMs(note, wallMs);
    if (leftMs === undefined) return { note, text, endsMs: undefined, endsAt: null, overMs: undefined };
    const overMs = nowMs + Math.max(leftMs, orderedMs(note) ?? leftMs) + graceMs;
    return { note, text, endsMs: nowMs + leftMs, endsAt: new Date(wallMs + leftMs).toISOString(), overMs };
  };
  return new Map(
    [...values].map(([scope, text]) => {
      const known = before.get(scope);
      return [scope, known?.text === text ? known : toMaintenance(text)];
    }),
  );
}

export function isOn({ endsMs }: Maintenance, nowMs: number): boolean {
  return endsMs === undefined || nowMs < endsMs;
}

/** The maintenance that counts for a master: its own, or that of all masters. */
export interface MaintenanceOfMaster {
  readonly scope: MaintenanceScope;
  readonly maintenance: Maintenance;
}

/** Whether something may be ordered about a master. `unread`: Consul was not read yet, so nothing may. */
export type MaintenanceVerdict =
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly why: string }
  | { readonly kind: 'unread'; readonly why: string };

/** The maintenance that a master is in, its own first; undefined where it is in none. */
export function maintenanceOf(all: Maintenances, name: string, nowMs: number): MaintenanceOfMaster | undefined {
  for (const scope of [name, null]) {
    const maintenance = all.get(scope);
    if (maintenance !== undefined && isOn(maintenance, nowMs)) return { scope, maintenance };
  }
  return undefined;
}

/** What began, changed or ended between two readings. */
export interface MaintenanceChange {
  readonly scope: MaintenanceScope;
  readonly kind: 'begins' | 'changes' | 'ends';
  /** The present one; of one that ends, the last one. */
  readonly maintenance: Maintenance;
  /** Why it ends: its key was deleted, or its time is over. */
  readonly end?: 'by hand' | 'in time';
}

/** `active` is the maintenance that was on when the last changes were reported. */
export function compareMaintenance(
  active: Maintenances,
  { all, nowMs }: { readonly all: Maintenances; readonly nowMs: number },
): readonly MaintenanceChange[] {
  const ended = [...active].flatMap(([scope, maintenance]): readonly MaintenanceChange[] => {
    const now = all.get(scope);
    if (now !== undefined && isOn(now, nowMs)) return [];
    return [{ scope, kind: 'ends', maintenance, end: isOn(maintenance, nowMs) ? 'by hand' : 'in time' }];
  });
  const others = activeAt(all, nowMs);
  const begun = [...others].flatMap(([scope, maintenance]): readonly MaintenanceChange[] => {
    const before = active.get(scope);
    if (before?.text === maintenance.text) return [];
    return [{ scope, kind: before === undefined ? 'begins' : 'changes', maintenance }];
  });
  return [...ended, ...begun];
}

export function activeAt(all: Maintenances, nowMs: number): Maintenances {
  return new Map([...all].filter(([, maintenance]) => isOn(maintenance, nowMs)));
}

/** The next time at which one ends or is over, in milliseconds of `performance.now()`; undefined where none is. */
export function nextTimeMs(all: Maintenances, nowMs: number): number | undefined {
  const times = [...all.values()].flatMap(({ endsMs, overMs }) => [endsMs, overMs]);
  const future = times.filter((time): time is number => time !== undefined && time > nowMs);
  return future.length === 0 ? undefined : Math.min(...future);
}

/** `shard1 is in maintenance: by ops@db1, since …, until 2026-01-31T12:00:00.000Z (kernel upgrade)`. */
export function describeMaintenance({ scope, maintenance }: MaintenanceOfMaster): string {
  const { note, endsAt } = maintenance;
  const what = scope === null ? 'all masters are in maintenance' : `${scope} is in maintenance`;
  if (note.fault !== null) return `${what}: the value of its key cannot be read, because ${note.fault}`;
  const facts = [
    ...(note.by === null ? [] : [`by ${note.by}`]),
    ...(note.at === null ? [] : [`since ${note.at}`]),
    endsAt === null ? 'without an end' : `until ${endsAt}`,
  ];
  return `${what}: ${facts.join(', ')}${note.reason === null ? '' : ` (${note.reason})`}`;
}

/** The command that ends it. */
export function commandToEnd(scope: MaintenanceScope): string {
  return `switchmaster maintenance off${scope === null ? '' : ` ${shellWord(scope)}`}`;
}
