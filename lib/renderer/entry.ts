import { createHmac, randomBytes } from 'node:crypto';
import type { Outcome } from '../loop/outcome.ts';
import type { Supervisor } from './apply/supervisor.ts';
import type { Debouncer } from './debounce.ts';
import type { GuardFinding } from './plan/guard.ts';
import type { RenderPlan } from './plan/render.ts';
import type { StageTimes } from './stages.ts';
import type { LiveTemplate, ShownText } from './template.ts';

/** Of permission bits. */
const othersRead = 0o004;

/** What the API shows of a template. */
export interface TemplateState {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  /**
   * `new` before its first run, then what the last plan was; `current` when the destination is as it should be and its
   * consumer works with it, `queued` while other nodes reload, `failed` when a step did not succeed.
   */
  readonly state: 'new' | Exclude<RenderPlan['kind'], 'unchanged' | 'left'> | 'queued' | 'current' | 'failed';
  /** Digest of the text that a guard holds. */
  readonly held: string | null;
  /** What it reads and has no answer for yet. */
  readonly missing: readonly string[];
  readonly dependencies: readonly string[];
  /** `token`: others may not read its file, so that its text is for who brings the token only. */
  readonly access: 'open' | 'token';
  /** ISO 8601; of the last time its text was known. */
  readonly renderedAt: string | null;
  /** ISO 8601; of the last time its destination was replaced. */
  readonly writtenAt: string | null;
  readonly lastOutcome: Outcome | null;
  readonly lastStages: StageTimes;
}

/** A template between its runs, with what the API shows of it. */
export interface Entry {
  readonly template: LiveTemplate;
  readonly debouncer: Debouncer;
  readonly supervisor: Supervisor | undefined;
  state: TemplateState['state'];
  /** `at-once`: it was woken without debouncer, since who is master may have changed. */
  pace: 'at-once' | 'gathered';
  renderedAt: string | null;
  writtenAt: string | null;
  text: string | undefined;
  /** The text without secrets. */
  shown: ShownText | undefined;
  /** Permission bits of the destination, as it is or will be. */
  mode: number;
  /** What the destination held at the last look, where that was another text than `text`. */
  present: string | undefined;
  held: GuardFinding | undefined;
  lastOutcome: Outcome | null;
  lastStages: StageTimes;
  /** Whether what an earlier run left beside the destination was looked at. */
  opened: 'no' | 'yes';
}

export function makeEntry(parts: Pick<Entry, 'template' | 'debouncer' | 'supervisor'>): Entry {
  return {
    ...parts,
    state: 'new',
    pace: 'gathered',
    renderedAt: null,
    writtenAt: null,
    text: undefined,
    shown: undefined,
    mode: parts.template.spec.mode ?? 0o644,
    present: undefined,
    held: undefined,
    lastOutcome: null,
    lastStages: {},
    opened: 'no',
  };
}

export function showEntry(entry: Entry): TemplateState {
  const { spec, rendering, dependencies, redactor } = entry.template;
  return {
    name: spec.name,
    source: spec.source,
    destination: spec.destination,
    state: entry.state,
    held: entry.held !== undefined && rendering.kind === 'rendered' ? ticketOf(rendering.digest) : null,
    missing: rendering.kind === 'pending' ? redactor.redactAll(rendering.missing) : [],
    dependencies: redactor.redactAll(dependencies),
    access: (entry.mode & othersRead) === 0 ? 'token' : 'open',
    renderedAt: entry.renderedAt,
    writtenAt: entry.writtenAt,
    lastOutcome: entry.lastOutcome,
    lastStages: entry.lastStages,
  };
}

/** What a text is called in public: its digest would let anybody try out what a secret in it might be. */
export function ticketOf(digest: string): string {
  return createHmac('sha256', ticketKey).update(digest).digest('hex');
}

const ticketKey = randomBytes(32);
