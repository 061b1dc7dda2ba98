import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { redactOutcome } from '../loop/redacted-outcome.ts';
import type { Run } from '../loop/run.ts';
import type { ExpectedMaster } from '../model/expected-master.ts';
import { readDestination } from './apply/file.ts';
import { PreparedFile } from './apply/prepared-file.ts';
import { chooseRoute } from './apply/reload.ts';
import type { Entry } from './entry.ts';
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

/** Whether nothing else has woken the template. */
export function isPreparation({ hints }: Pick<Run<RenderHint>, 'hints'>): boolean {
  return hints.every(isExpectation);
}

/** Prepares a file, or removes it when the failover has ended. Fails silently: the change itself does all steps then. */
export async function prepare(entry: Entry, run: Run<RenderHint>): Promise<Outcome> {
  const former = entry.prepared === undefined ? {} : { prepared: 'unused' };
  await discard(entry);
  if (entry.expected === undefined) return { kind: 'unchanged', details: former };
  let details: object;
  try {
    entry.prepared = await prepareFor(entry.expected, { entry, run });
    details = { prepared: entry.prepared === undefined ? 'none' : 'ready' };
  } catch (thrown) {
    details = { prepared: 'none', reason: SwitchmasterError.from(thrown).message };
  }
  if (entry.prepared === undefined) entry.expected = undefined;
  return redactOutcome({ kind: 'unchanged', details: { ...details } }, entry.template.redactor);
}

async function prepareFor(
  expected: ExpectedMaster,
  { entry, run }: { readonly entry: Entry; readonly run: Run<RenderHint> },
): Promise<PreparedFile | undefined> {
  const { template, supervisor, reloads, splay, shells, memory } = entry;
  const { spec } = template;
  const rendering = await template.renderExpected(expected);
  if (rendering === undefined || memory.snapshot.owed !== undefined) return undefined;
  const present = await readDestination(spec.destination, entry.known);
  if (present?.access !== 'readable') return undefined;
  const plan = await planEntry(entry, { present, rendering });
  if (plan.kind !== 'write' || plan.urgency !== 'master-change' || plan.replaces !== 'own-file') return undefined;
  const { signal, interrupted } = run;
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
  if (prepared === undefined || isNeeded) return outcome;
  const result = prepared.state === 'used' ? 'used' : 'unused';
  entry.expected = undefined;
  void discard(entry);
  return { ...outcome, details: { ...outcome.details, prepared: result } };
}

async function discard(entry: Entry): Promise<void> {
  const { prepared } = entry;
  entry.prepared = undefined;
  await prepared?.discard();
}
