import type { Outcome } from '../loop/outcome.ts';
import type { Redactor } from '../model/redaction.ts';
import { redactError } from '../template/redacted-error.ts';
import { correctOwnership, type PresentFile } from './apply/file.ts';
import { resolveOwnership } from './apply/file-owner.ts';
import type { Step } from './apply/reload.ts';
import { finishTakeOver, replaceFile, type Transaction } from './apply/replace-file.ts';
import type { Entry } from './entry.ts';
import { remember, rememberRefused } from './memory.ts';
import type { GoodRendering, RenderPlan } from './plan/render.ts';
import type { RollingQueue } from './rolling-queue.ts';

export interface CarryOutInput {
  readonly plan: RenderPlan;
  /** The destination as it is. */
  readonly present: PresentFile | undefined;
  /** Without it nobody queues. */
  readonly queue: RollingQueue | undefined;
  readonly step: Step;
}

type WriteInput = CarryOutInput & { readonly plan: RenderPlan & { kind: 'write' } };

/** Carries a plan out and says what came of it; a template's entry shows the state that it is in. */
export async function carryOut(entry: Entry, input: CarryOutInput): Promise<Outcome> {
  const { plan, step } = input;
  const { template } = entry;
  const { destination } = step.spec;
  switch (plan.kind) {
    case 'pending':
      return { kind: 'held', summary: template.describeGaps(plan.missing) };
    case 'invalid':
      return { kind: 'failed', error: plan.error };
    case 'held': {
      const { guard, reason, lost } = plan.finding;
      const details = { guard, lost: lost.slice(0, 20), lostCount: lost.length };
      return { kind: 'held', summary: `${destination} stays as it is. ${reason}`, details };
    }
    case 'refused':
      return { kind: 'held', summary: `${destination} was rolled back and waits for another input. ${plan.reason}` };
    case 'unchanged':
      return keep(entry, step);
    case 'left':
      // Its program may not run yet; owner and mode are its own too.
      if (entry.supervisor !== undefined && entry.supervisor.pid === undefined) await entry.supervisor.start();
      return { kind: 'unchanged' };
    case 'write':
      return inTurn(entry, { ...input, plan });
    case 'reload-only':
      return settle(entry, {
        step,
        rendering: plan.rendering,
        summary: `${destination} was as it should be`,
        transaction: await finishTakeOver(step, plan.rendering),
      });
  }
}

/** An ordinary change waits for its turn among the nodes; the wait is an outcome, so that a failover finds no queue. */
async function inTurn(entry: Entry, input: WriteInput): Promise<Outcome> {
  const { plan, step } = input;
  const { destination, rolling } = step.spec;
  const queues = rolling !== undefined && input.queue !== undefined && plan.urgency === 'ordinary';
  if (!queues) return write(entry, input);
  const turn = await input.queue.take(step.spec, step.signal);
  if (turn.kind === 'wait') {
    entry.state = 'queued';
    const summary = `${destination} waits for its turn: ${turn.holders} of ${rolling.limit} nodes reload.`;
    return { kind: 'held', summary, retryAfterMs: turn.retryAfterMs };
  }
  try {
    return await write(entry, input);
  } finally {
    await turn.leave();
  }
}

async function write(entry: Entry, input: WriteInput): Promise<Outcome> {
  const { plan, present, step } = input;
  const { template } = entry;
  const onSwapped = () => {
    entry.writtenAt = new Date().toISOString();
    // Owed until it is done: a run that fails or stops in between takes over although the file matches.
    template.memory = { ...template.memory, owed: { reason: 'The reload has not ended.' } };
  };
  return settle(entry, {
    step,
    rendering: plan.rendering,
    summary: `${step.spec.destination} was replaced`,
    transaction: await replaceFile(step, { ...plan, present, memory: template.memory, onSwapped }),
  });
}

async function settle(
  entry: Entry,
  input: { step: Step; rendering: GoodRendering; summary: string; transaction: Transaction },
): Promise<Outcome> {
  const { step, rendering } = input;
  const { template } = entry;
  const transaction = redactTransaction(input.transaction, template.redactor);
  const details = { stages: step.clock.times };
  switch (transaction.kind) {
    case 'done': {
      await remember(entry, rendering);
      entry.present = undefined;
      entry.state = 'current';
      const reloaded = step.spec.reload === undefined ? '' : ' and its consumer reloaded';
      return { kind: 'applied', summary: `${input.summary}${reloaded}.`, details };
    }
    case 'rolled-back': {
      const { message } = transaction.error;
      const refused = { digest: rendering.digest, reason: message };
      template.memory = { ...template.memory, owed: undefined, refused };
      // The rollback is what is told, whether or not a later daemon will know of it.
      await rememberRefused(entry, refused).catch(() => undefined);
      entry.state = 'refused';
      return { kind: 'failed', error: transaction.error, details };
    }
    case 'owed':
      template.memory = { ...template.memory, owed: { reason: transaction.error.message } };
      entry.state = 'failed';
      return { kind: 'failed', error: transaction.error, details };
  }
}

/** What is remembered of a failure is told later too, also by a daemon after this one. */
function redactTransaction(transaction: Transaction, redactor: Redactor): Transaction {
  if (transaction.kind === 'done') return transaction;
  return { ...transaction, error: redactError(transaction.error, redactor) };
}

/** Nothing changed: what it was taken over from an earlier daemon becomes the last good state of this one. */
async function keep(entry: Entry, step: Step): Promise<Outcome> {
  const { template, supervisor } = entry;
  const { destination } = step.spec;
  if (template.rendering.kind === 'rendered') {
    const known = template.memory.proven?.digest === template.rendering.digest && template.catalog === 'steady';
    if (!known) await remember(entry, template.rendering);
  }
  if (supervisor !== undefined && supervisor.pid === undefined) await supervisor.start();
  const ownership = await correctOwnership(destination, await resolveOwnership(step.spec, step.signal));
  if (ownership === 'unchanged') return { kind: 'unchanged' };
  return { kind: 'applied', summary: `${destination} has its owner and mode again.` };
}
