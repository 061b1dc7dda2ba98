import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { redactOutcome } from '../loop/redacted-outcome.ts';
import type { Run } from '../loop/run.ts';
import type { ExpectedMaster } from '../model/expected-master.ts';
import { isLocal } from '../mounts.ts';
import { readDestination } from './apply/file.ts';
import { untilInterrupted } from './apply/interruption.ts';
import { PreparedFile } from './apply/prepared-file.ts';
import { chooseRoute } from './apply/reload.ts';
import type { Entry } from './entry.ts';
import { digestOf } from './head.ts';
import { isExpectation, type RenderHint } from './hint.ts';
import { isPreparable } from './plan/prepared.ts';
import { planEntry } from './seen.ts';
import { StageClock } from './stages.ts';

/*
 * Between the selection of a replica and its promotion some 100 ms pass, in which the daemon has nothing to do. It then writes, flushes
 * and checks the files that the failover will lead to. The change itself is rendered and guarded as without it: see PreparedFile.
 */

/** More would take the processor from the failover. */
const mostTemplates = 4;

/** The templates for which a file may be prepared, in the order of the config. */
export function chooseEntries(entries: readonly Entry[], expected: ExpectedMaster): readonly Entry[] {
  const able = entries.filter(({ template, memory, state, expected: other }) => {
    const masters = template.rendering.kind === 'rendered' ? template.rendering.masters : undefined;
    const { owed } = memory.snapshot;
    return isPreparable({ spec: template.spec, state, owed, expected: other, masters }, expected.name);
  });
  return able.slice(0, mostTemplates);
}

/**
 * Whether a run only prepares a file: nothing else has woken the template, and it has nothing else to do. Otherwise the run would put off
 * the next attempt of one that failed or waits.
 */
export function isPreparation({ expected, state }: Entry, { hints }: Pick<Run<RenderHint>, 'hints'>): boolean {
  return expected !== undefined && state === 'current' && hints.every(isExpectation);
}

/** Prepares a file. Fails silently: the change itself does all steps then. */
export async function prepare(entry: Entry, run: Run<RenderHint>): Promise<Outcome> {
  const ending = new AbortController();
  entry.preparing = ending;
  const { interrupted } = run;
  const signal = AbortSignal.any([run.signal, ending.signal]);
  let details: { readonly prepared: string; readonly reason?: string };
  try {
    await discard(entry);
    entry.prepared = await prepareFor(entry, { signal, interrupted });
    details = { prepared: entry.prepared === undefined ? 'none' : 'ready' };
  } catch (thrown) {
    details = { prepared: 'none', reason: SwitchmasterError.from(thrown).message };
  } finally {
    entry.preparing = undefined;
  }
  if (entry.prepared === undefined) entry.expected = undefined;
  return redactOutcome({ kind: 'unchanged', details }, entry.template.redactor);
}

/** What was prepared is not used. A preparation under way ends, and leaves no file. */
export function expectNothing(entry: Entry): void {
  entry.expected = undefined;
  entry.preparing?.abort();
  void entry.prepared?.discard();
}

async function prepareFor(
  entry: Entry,
  { signal, interrupted }: { readonly signal: AbortSignal; readonly interrupted: AbortSignal },
): Promise<PreparedFile | undefined> {
  const { template, supervisor, reloads, splay, shells, memory, expected } = entry;
  const { spec } = template;
  if (expected === undefined || !isLocal(spec.destination)) return undefined;
  const rendering = await template.renderExpected(expected);
  if (rendering === undefined) return undefined;
  // The change of master does not wait for a disk: it moves HAProxy's servers without the file.
  const present = await untilInterrupted(readDestination(spec.destination, entry.known), interrupted);
  if (present?.access !== 'readable') return undefined;
  const plan = await untilInterrupted(planEntry(entry, { present, rendering }), interrupted);
  if (plan.kind !== 'write' || plan.urgency !== 'master-change' || plan.replaces !== 'own-file') return undefined;
  const { owed, proven } = memory.snapshot;
  // The file is kept for a rollback, also if the failover never comes.
  if (owed !== undefined || digestOf(present.bytes) !== proven?.digest) return undefined;
  const { urgency } = plan;
  const clock = new StageClock();
  const warn = () => undefined;
  const step = { spec, clock, signal, interrupted, supervisor, urgency, reloads, splay, shells, warn } as const;
  const route = chooseRoute(spec, present.bytes.toString(), rendering.text);
  const check = route.kind === 'runtime' ? 'none' : 'first';
  return PreparedFile.prepare(step, { bytes: Buffer.from(rendering.text), present, check });
}

/** After a run of the template: says whether it has used what was prepared. Removes that if another text has replaced the file. */
export function endPreparation(
  entry: Entry,
  { outcome, clock }: { readonly outcome: Outcome; readonly clock: StageClock },
): Outcome {
  const { prepared, expected } = entry;
  const isNeeded = prepared?.state === 'ready' && expected !== undefined && clock.times.swapped === undefined;
  if (isNeeded) return outcome;
  // The only one of its hints that is not for a run of its own came before this run.
  entry.expected = undefined;
  if (prepared === undefined) return outcome;
  const result = prepared.state === 'used' ? 'used' : 'unused';
  void discard(entry);
  return { ...outcome, details: { ...outcome.details, prepared: result } };
}

async function discard(entry: Entry): Promise<void> {
  const { prepared } = entry;
  entry.prepared = undefined;
  await prepared?.discard();
}
