import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Redactor } from '../model/redaction.ts';
import type { RollingSpec } from '../model/template-spec.ts';
import { describeUntrusted, type UntrustedRecord } from '../model/trust.ts';
import { redactError } from '../template/redacted-error.ts';
import { keepBackup } from './apply/backup.ts';
import { correctOwnership, type PresentFile } from './apply/file.ts';
import { resolveOwnership } from './apply/file-owner.ts';
import { anySignal, untilInterrupted, wasInterrupted } from './apply/interruption.ts';
import type { Step } from './apply/reload.ts';
import { finishTakeOver, replaceFile, type Transaction } from './apply/replace-file.ts';
import { examineDestination } from './destination.ts';
import type { Entry } from './entry.ts';
import { restoreServers } from './haproxy/restore.ts';
import type { RenderPlan } from './plan/render.ts';
import type { GoodRendering } from './plan/rendering.ts';
import type { Place, RollingQueue } from './rolling-queue.ts';
import { saveClaim, saveProven, saveRefused } from './saved-state.ts';

export interface CarryOutInput {
  readonly plan: RenderPlan;
  /** The destination before the run. */
  readonly present: PresentFile | undefined;
  /** Without it, no template queues. */
  readonly queue: RollingQueue | undefined;
  readonly step: Step;
  /** Masters whose records in Consul the rendering does not follow. */
  readonly heldRecords: readonly UntrustedRecord[];
}

type WriteInput = CarryOutInput & { readonly plan: RenderPlan & { kind: 'write' } };

/** Carries a plan out and reports the outcome. Updates the state that the entry shows. */
export async function carryOut(entry: Entry, input: CarryOutInput): Promise<Outcome> {
  try {
    return reportUntrusted(await carry(entry, input), input);
  } catch (thrown) {
    if (!wasInterrupted(input.step)) throw thrown;
    return describeInterruption(input.step);
  }
}

/** A file that is up to date only because records are held is reported as held. */
function reportUntrusted(outcome: Outcome, { heldRecords, step }: CarryOutInput): Outcome {
  if (heldRecords.length === 0) return outcome;
  const details = { ...outcome.details, heldRecords };
  if (outcome.kind !== 'unchanged') return { ...outcome, details };
  const summary = `${step.spec.destination} is not changed: ${heldRecords.map(describeUntrusted).join('; ')}.`;
  return { kind: 'held', summary, details };
}

async function carry(entry: Entry, input: CarryOutInput): Promise<Outcome> {
  const { plan, step } = input;
  const { destination } = step.spec;
  switch (plan.kind) {
    case 'pending':
      return { kind: 'held', summary: entry.template.describeGaps(plan.missing) };
    case 'invalid':
      return { kind: 'failed', error: plan.error };
    case 'held':
      return describeHold(destination, plan);
    case 'refused':
      return { kind: 'held', summary: `${destination} was rolled back and waits for another input. ${plan.reason}` };
    case 'unchanged':
      return keep(entry, step);
    case 'left':
      return (await keepSupervised(entry)) ?? { kind: 'unchanged' };
    case 'write':
      return queueAndWrite(entry, { ...input, plan });
    case 'reload-only':
      return settle(entry, {
        step,
        rendering: plan.rendering,
        summary: `${destination} was up to date`,
        transaction: await finishTakeOver(step, plan.rendering, plan.owed),
      });
  }
}

function describeHold(destination: string, { finding }: RenderPlan & { kind: 'held' }): Outcome {
  const { guard, reason, lost } = finding;
  const details = { guard, lost: lost.slice(0, 20), lostCount: lost.length };
  // `render --adopt`, or a hand, may replace a file of somebody else, and nothing reports that.
  const again = guard === 'foreign-file' ? { retryAfterMs: foreignFileRetryMs } : {};
  return { kind: 'held', summary: `${destination} stays as it is. ${reason}`, details, ...again };
}

const foreignFileRetryMs = 2_000;

/** An ordinary change queues among the nodes. Waiting is an outcome, so a change of master never waits behind it. */
async function queueAndWrite(entry: Entry, input: WriteInput): Promise<Outcome> {
  const { plan, step, queue } = input;
  const { destination, rolling } = step.spec;
  if (rolling === undefined || queue === undefined || plan.urgency !== 'ordinary') return write(entry, input);
  const place = await takePlace(queue, { ...input, rolling });
  if (place.kind === 'wait') {
    entry.state = 'queued';
    const summary = `${destination} waits in the rolling queue: ${place.holders} of ${rolling.limit} nodes reload.`;
    return { kind: 'held', summary, retryAfterMs: place.retryAfterMs };
  }
  try {
    return await write(entry, input);
  } finally {
    // Leaving the queue needs an answer of Consul, and a change of master does not wait for that.
    const left = place.leave();
    if (!wasInterrupted(step)) await left;
  }
}

/** Gives the place back if it is granted after the run was interrupted. */
async function takePlace(
  queue: RollingQueue,
  { step, rolling }: { readonly step: Step; readonly rolling: RollingSpec },
): Promise<Place> {
  const place = queue.take({ name: step.spec.name, rolling }, step.signal);
  try {
    return await untilInterrupted(place, step.interrupted);
  } catch (thrown) {
    const leave = (late: Place) => (late.kind === 'mine' ? late.leave() : undefined);
    if (wasInterrupted(step)) void place.then(leave, () => undefined);
    throw thrown;
  }
}

async function write(entry: Entry, input: WriteInput): Promise<Outcome> {
  const { plan, present, step } = input;
  const { memory } = entry;
  const onSwapped = async () => {
    entry.writtenAt = new Date().toISOString();
    if (memory.snapshot.owner === 'unknown') await saveClaim(entry, present);
    // Owed until it is done: after a run that failed or was stopped, the next one reloads although the file matches.
    memory.owe({ step: 'reload', reason: 'The reload has not ended.' });
  };
  const onLate = () =>
    memory.owe({ step: 'reload', reason: 'The file system did not answer while the file was replaced.' });
  const servers = isProven(entry, present) ? entry.servers : 'unknown';
  entry.servers = 'unknown';
  entry.known.forget();
  const change = { ...plan, present, memory: memory.snapshot, servers, prepared: entry.prepared, onSwapped, onLate };
  const transaction = await replaceFile(step, change);
  // After the reload, which it must not delay. A text that was rolled back has replaced nothing.
  if (transaction.kind === 'done' || transaction.kind === 'owed')
    await untilInterrupted(keepBackup(step, present), step.interrupted).catch(() => undefined);
  return settle(entry, {
    step,
    rendering: plan.rendering,
    summary: `${step.spec.destination} was replaced`,
    transaction,
  });
}

/** Whether the destination has the text that took effect last. */
function isProven({ provenText }: Entry, present: PresentFile | undefined): boolean {
  return present?.access === 'readable' && present.bytes.toString() === provenText;
}

async function settle(
  entry: Entry,
  input: { step: Step; rendering: GoodRendering; summary: string; transaction: Transaction },
): Promise<Outcome> {
  const { step, rendering } = input;
  const { template, memory } = entry;
  const transaction = redactTransaction(input.transaction, template.redactor);
  const details = { stages: step.clock.times };
  switch (transaction.kind) {
    case 'done': {
      await saveProven(entry, rendering);
      entry.placeProblem = undefined;
      entry.present = undefined;
      entry.state = 'current';
      const reloaded = step.spec.reload === undefined ? '' : ' and its consumer reloaded';
      return { kind: 'applied', summary: `${input.summary}${reloaded}.`, details };
    }
    case 'rolled-back': {
      const refused = { digest: rendering.digest, reason: transaction.error.message };
      memory.refuse(refused);
      // The outcome reports the rollback, whether or not this is saved.
      await saveRefused(entry, refused).catch(() => undefined);
      entry.state = 'refused';
      return { kind: 'failed', error: transaction.error, details };
    }
    case 'owed':
      memory.owe({ step: 'reload', reason: transaction.error.message });
      entry.state = 'failed';
      return { kind: 'failed', error: transaction.error, details };
    case 'interrupted':
      memory.owe({ step: transaction.step, reason: 'A change of master interrupted it.' });
      return describeInterruption(step);
  }
}

/** The next run follows at once. */
function describeInterruption({ spec, clock }: Step): Outcome {
  const summary = `${spec.destination}: a change of master interrupted the run.`;
  return { kind: 'held', summary, retryAfterMs: 0, details: { stages: clock.times } };
}

/** The memory keeps a failure's message and later runs show it, also those of a daemon after this one. */
function redactTransaction(transaction: Transaction, redactor: Redactor): Transaction {
  if (transaction.kind === 'done' || transaction.kind === 'interrupted') return transaction;
  return { ...transaction, error: redactError(transaction.error, redactor) };
}

/** The file is up to date. What an earlier daemon wrote becomes this daemon's last good state. */
async function keep(entry: Entry, step: Step): Promise<Outcome> {
  const { template, memory } = entry;
  const { destination } = step.spec;
  memory.claim();
  if (template.rendering.kind === 'rendered') {
    const { proven } = memory.snapshot;
    const known = proven?.digest === template.rendering.digest && template.history.catalog === 'steady';
    if (known) entry.provenText = template.rendering.text;
    else if (!template.seen.heldRecords) await saveProven(entry, template.rendering);
  }
  const stopped = await keepSupervised(entry);
  if (stopped !== undefined) return stopped;
  if (entry.placeProblem !== undefined) entry.placeProblem = await examineDestination(step.spec);
  const wanted = await resolveOwnership(step);
  // An owner that the system refuses does not make the file wrong.
  const ownership = await correctOwnership(destination, wanted).catch((thrown) => {
    step.warn(SwitchmasterError.from(thrown).message);
    return 'unchanged' as const;
  });
  const moved = await restoreConsumer(entry, step);
  const summaries = [
    ...(ownership === 'unchanged' ? [] : [`${destination} has its owner and mode again.`]),
    ...(moved.length === 0 ? [] : [`HAProxy has the addresses of ${destination} again: ${moved.join(', ')}.`]),
  ];
  return summaries.length === 0 ? { kind: 'unchanged' } : { kind: 'applied', summary: summaries.join(' ') };
}

async function restoreConsumer({ template }: Entry, step: Step): Promise<readonly string[]> {
  const { reload } = step.spec;
  const { rendering } = template;
  if (reload?.kind !== 'haproxy' || rendering.kind !== 'rendered') return [];
  return restoreServers({ reload, signal: anySignal(step) }, rendering.text);
}

/** Starts a program that was never started. The outcome where it does not keep running. */
async function keepSupervised(entry: Entry): Promise<Outcome | undefined> {
  const { supervisor } = entry;
  await supervisor?.keep();
  if (supervisor?.problem === undefined) return undefined;
  entry.state = 'failed';
  return { kind: 'failed', error: new SwitchmasterError('reload-failed', supervisor.problem) };
}
