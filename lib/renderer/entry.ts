import { createHmac, randomBytes } from 'node:crypto';
import type { Outcome } from '../loop/outcome.ts';
import type { ExpectedMaster } from '../model/expected-master.ts';
import { newFileMode } from '../model/template-spec.ts';
import type { TextReader } from '../model/text-reader.ts';
import { inSlices } from '../template/bounded/loop-turns.ts';
import type { RunInput } from './apply/command.ts';
import type { PresentFile } from './apply/file.ts';
import { KnownFile } from './apply/known-file.ts';
import type { PreparedFile } from './apply/prepared-file.ts';
import { ReloadInFlight } from './apply/reload-in-flight.ts';
import { Splay } from './apply/splay.ts';
import type { Supervisor } from './apply/supervisor.ts';
import type { Debouncer } from './debounce.ts';
import type { LiveTemplate } from './observe/live-template.ts';
import type { ShownText } from './observe/rendering.ts';
import type { GuardFinding } from './plan/guard.ts';
import type { RenderPlan } from './plan/render.ts';
import type { StageTimes } from './stages.ts';
import { TemplateMemory } from './template-memory.ts';

/** The permission bit that lets others read a file. */
const othersRead = 0o004;

/** What the API shows of a template. */
export interface TemplateState {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  /**
   * `new` before the first run, then the kind of the last plan. `current`: the destination is up to date and its consumer
   * uses it. `debounced`: it waits for further changes. `queued`: other nodes reload first. `failed`: a step failed.
   */
  readonly state:
    | 'new'
    | Exclude<RenderPlan['kind'], 'unchanged' | 'left'>
    | 'debounced'
    | 'queued'
    | 'current'
    | 'failed';
  /** Public digest of the text that a guard holds. */
  readonly held: string | null;
  /** What it reads and has no answer for yet. */
  readonly missing: readonly string[];
  readonly dependencies: readonly string[];
  /** Sentences about what does not stop the template and needs attention: what it leaves out, for example. */
  readonly warnings: readonly string[];
  /** `token`: others may not read the file, so its text takes the API's token. */
  readonly access: 'open' | 'token';
  /** When its text was last rendered; ISO 8601. */
  readonly renderedAt: string | null;
  /** When its destination was last replaced; ISO 8601. */
  readonly writtenAt: string | null;
  readonly lastOutcome: Outcome | null;
  readonly lastStages: StageTimes;
}

/** A template between its runs, and what the API shows of it. */
export interface Entry {
  readonly template: LiveTemplate;
  readonly memory: TemplateMemory;
  readonly debouncer: Debouncer;
  readonly supervisor: Supervisor | undefined;
  readonly reloads: ReloadInFlight;
  readonly splay: Splay;
  readonly shells: RunInput['shells'];
  /** The destination as it was read last. */
  readonly known: KnownFile<PresentFile>;
  state: TemplateState['state'];
  renderedAt: string | null;
  writtenAt: string | null;
  text: string | undefined;
  /** The text that took effect last, if this daemon rendered it. */
  provenText: string | undefined;
  /** `moved`: HAProxy's servers moved since the destination could be read last, so they differ from `provenText`. */
  unread: 'moved' | undefined;
  /** `unknown`: HAProxy's servers may have moved since `provenText` took effect. */
  servers: 'as-proven' | 'unknown';
  /** The text without secrets. */
  shown: ShownText | undefined;
  /** Permission bits of the destination, or those that it will get. */
  mode: number;
  /** The content of the destination in the last run, where it differed from `text`. */
  present: string | undefined;
  held: GuardFinding | undefined;
  lastOutcome: Outcome | null;
  lastStages: StageTimes;
  /** Why the destination cannot be replaced now; undefined where it can. */
  placeProblem: string | undefined;
  /** Why the state beside the destination could not be saved. */
  stateProblem: string | undefined;
  /** Whether the saved state beside the destination was loaded. */
  opened: 'no' | 'yes';
  /** The failover that a file is prepared for. */
  expected: ExpectedMaster | undefined;
  prepared: PreparedFile | undefined;
  /** Ends the preparation under way. */
  preparing: AbortController | undefined;
}

export function makeEntry(parts: Pick<Entry, 'template' | 'debouncer' | 'supervisor' | 'shells'>): Entry {
  return {
    ...parts,
    memory: new TemplateMemory(),
    reloads: new ReloadInFlight(),
    splay: new Splay(),
    known: new KnownFile(),
    state: 'new',
    renderedAt: null,
    writtenAt: null,
    text: undefined,
    provenText: undefined,
    unread: undefined,
    servers: 'unknown',
    shown: undefined,
    mode: parts.template.spec.mode ?? newFileMode,
    present: undefined,
    held: undefined,
    lastOutcome: null,
    lastStages: {},
    placeProblem: undefined,
    stateProblem: undefined,
    opened: 'no',
    expected: undefined,
    prepared: undefined,
    preparing: undefined,
  };
}

export function showEntry(entry: Entry): TemplateState {
  const { spec, rendering, dependencies, redactor } = entry.template;
  return {
    name: spec.name,
    source: spec.source,
    destination: spec.destination,
    state: entry.state,
    held: entry.held !== undefined && rendering.kind === 'rendered' ? publicDigest(rendering.digest) : null,
    missing: rendering.kind === 'pending' ? redactor.redactAll(rendering.missing) : [],
    dependencies: redactor.redactAll(dependencies),
    warnings: redactor.redactAll(warningsOf(entry)),
    access: (entry.mode & othersRead) === 0 ? 'token' : 'open',
    renderedAt: entry.renderedAt,
    writtenAt: entry.writtenAt,
    lastOutcome: entry.lastOutcome,
    lastStages: entry.lastStages,
  };
}

/** See {@link TemplateState.warnings}; with secrets. */
export function warningsOf({ template, placeProblem, stateProblem }: Entry): readonly string[] {
  const ofText = template.rendering.kind === 'rendered' ? template.rendering.warnings : [];
  return [...ofText, ...[placeProblem, stateProblem].filter((problem) => problem !== undefined)];
}

/** The last rendered text, whether or not it was written; undefined before the first render. */
export async function renderedText(entry: Entry, reader: TextReader): Promise<string | undefined> {
  return reader === 'anybody' ? redactText(entry, entry.shown?.text) : entry.text;
}

/**
 * The content of the destination where it differs from the rendered text; undefined where there is no file. `anybody`
 * does not see it when `file` or `env` gave something, or when the file is a seed: its secrets are not known then.
 */
export async function presentText(entry: Entry, reader: TextReader): Promise<string | undefined> {
  if (reader === 'token-holder') return entry.present;
  const open = entry.template.shown?.holds === 'nothing-secret' && entry.template.spec.upkeep !== 'seed';
  return open ? redactText(entry, entry.present) : undefined;
}

/** A digest for the public: with the plain digest, anybody could test guesses of a secret in the text. */
export function publicDigest(digest: string): string {
  return createHmac('sha256', digestKey).update(digest).digest('hex');
}

const digestKey = randomBytes(32);

async function redactText({ template }: Entry, text: string | undefined): Promise<string | undefined> {
  return text === undefined ? undefined : inSlices(template.redactor.redactingWhole(text));
}

export function addWarnings(outcome: Outcome, warnings: readonly string[]): Outcome {
  return warnings.length === 0 ? outcome : { ...outcome, details: { ...outcome.details, warnings } };
}
