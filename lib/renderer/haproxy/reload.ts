import { SocketExchangeError } from '../../client/socket-exchange.ts';
import { isAbort, SwitchmasterError } from '../../errors.ts';
import { formatEndpoint } from '../../model/address.ts';
import type { ReloadSpec, TemplateSpec } from '../../model/template-spec.ts';
import { anySignal, untilInterrupted } from '../apply/interruption.ts';
import type { Urgency } from '../plan/urgency.ts';
import { HaproxyMaster } from './master-cli.ts';
import { OutgoingWorker } from './outgoing-worker.ts';
import { type HaproxyPlan, planRemaining, type ReloadPlan } from './plan.ts';
import { HaproxyRuntime, readServers } from './runtime-api.ts';
import {
  alignServers,
  changeServers,
  closeSessions,
  confirmServers,
  type Departure,
  retireServers,
} from './servers.ts';
import { findUnread } from './unread-config.ts';

/** A running HAProxy that gets to a new config. */
export interface HaproxyStep {
  readonly spec: Pick<TemplateSpec, 'destination'>;
  readonly reload: ReloadSpec & { readonly kind: 'haproxy' };
  readonly signal: AbortSignal;
  readonly urgency: Urgency;
  /** Ends the wait for old workers. */
  readonly interrupted: AbortSignal;
  readonly warn: (warning: string) => void;
}

/**
 * Applies a plan without a reload, as far as HAProxy has not got it yet. `failed`: HAProxy does not run, or runs with
 * another config than expected. `as-proven`: it has none of the changes, so it is not asked first. A server that has them
 * already would lose its sessions.
 */
export async function changeAtRuntime(
  step: HaproxyStep,
  plan: HaproxyPlan & { readonly kind: 'runtime' },
  servers: 'as-proven' | 'unknown' = 'unknown',
): Promise<'changed' | 'failed'> {
  const { reload, signal, interrupted } = step;
  const runtime = new HaproxyRuntime(reload.socket);
  try {
    const changes =
      servers === 'as-proven' ? plan.changes : planRemaining(await readServers(runtime, signal), plan.changes);
    const changing = changeServers(runtime, changes, signal);
    const leaves = changes.some(({ move, state, weight }) => move !== undefined || state === 'maint' || weight === 0);
    const leaving = leaves ? leaveOldWorkers(step, plan) : undefined;
    leaving?.catch(() => undefined);
    await changing;
    await confirmServers(runtime, plan.expected, signal);
    if (leaving !== undefined) await untilInterrupted(leaving, interrupted).catch(unlessAborted(interrupted));
    return 'changed';
  } catch {
    signal.throwIfAborted();
    return 'failed';
  }
}

/**
 * Runs a reload so that no session of the process that it replaces stays where the new config does not lead: servers move
 * before the reload, and sessions of proxies that changed otherwise end after it.
 */
export async function reloadBetween(step: HaproxyStep, plan: ReloadPlan, reload: () => Promise<void>): Promise<void> {
  const departure = departureOf(step, plan);
  const ends = departure.proxies.size + plan.restored.length > 0;
  const outgoing = ends ? await OutgoingWorker.open(step.reload.socket, step.signal) : undefined;
  try {
    await moveServers(step, plan);
    await reload();
    if (outgoing !== undefined) await closeOutgoing(step, { outgoing, departure });
    if (plan.restored.length > 0) await correctRestored(step, plan);
    await warnOfUnread(step, plan);
  } finally {
    outgoing?.close();
  }
}

/**
 * Moves servers of the process that a reload is about to replace: its sessions outlive the reload, and none may stay on a
 * former master. Does nothing when no process answers.
 */
export async function moveServers(step: HaproxyStep, plan: ReloadPlan): Promise<void> {
  const { reload, signal } = step;
  const runtime = new HaproxyRuntime(reload.socket);
  try {
    await alignServers(runtime, plan.expected, signal);
    await retireServers(runtime, plan.gone, signal);
  } catch {
    signal.throwIfAborted();
  }
  await leaveOldWorkers(step, plan);
}

/** How long a new worker may take to start after the reload command has ended. */
const startLimitMs = 3_000;
/** The same where nothing answered after the reload before. */
const silentLimitMs = 200;
const silentSockets = new Set<string>();

async function warnOfUnread(step: HaproxyStep, { expected }: ReloadPlan): Promise<void> {
  const { reload, spec, warn } = step;
  const socket = formatEndpoint(reload.socket);
  const limitMs = silentSockets.has(socket) ? silentLimitMs : startLimitMs;
  const search = { expected, limitMs, signal: anySignal(step) };
  // HAProxy is reloaded already: a wait that was ended has found nothing.
  const finding = await findUnread(new HaproxyRuntime(reload.socket), search).catch(() => undefined);
  if (finding?.kind === 'silent') silentSockets.add(socket);
  else if (finding !== undefined) silentSockets.delete(socket);
  if (finding?.kind === 'silent')
    warn(`HAProxy was reloaded, but whether it reads ${spec.destination} is not known. ${finding.reason}`);
  if (finding?.kind === 'other')
    warn(
      `HAProxy was reloaded, but seems not to read ${spec.destination}. ${finding.reason} Its arguments must name the file or its folder (-f): restart HAProxy if you changed them.`,
    );
}

/** The new worker has the ports of HAProxy's state file, which may be those of former masters. */
async function correctRestored({ reload, signal, warn }: HaproxyStep, { expected }: ReloadPlan): Promise<void> {
  try {
    await alignServers(new HaproxyRuntime(reload.socket), expected, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    warn(`Cannot correct what HAProxy took from its state file. ${SwitchmasterError.from(thrown).message}`);
  }
}

/** A worker ends by itself after its last session: then the connection is closed, and nothing is left to do. */
async function closeOutgoing(
  { signal, warn }: HaproxyStep,
  { outgoing, departure }: { readonly outgoing: OutgoingWorker; readonly departure: Departure },
): Promise<void> {
  try {
    const state = await outgoing.untilReplaced(signal);
    if (state === 'in-service') warn('HAProxy still runs with the same worker some seconds after its reload.');
    await closeSessions(outgoing, departure, signal);
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) throw thrown;
    if (thrown instanceof SocketExchangeError && thrown.reason === 'closed') return;
    warn(`Cannot close sessions in the old worker of HAProxy. ${SwitchmasterError.from(thrown).message}`);
  }
}

/** What a proxy's unclear servers resolve to may have changed with the master, although its text did not. */
function departureOf({ urgency }: HaproxyStep, plan: HaproxyPlan): Departure {
  if (plan.kind === 'runtime') return { expected: plan.expected, gone: [], proxies: new Set() };
  const unclear = urgency === 'master-change' ? plan.unclear : [];
  return { expected: plan.expected, gone: plan.gone, proxies: new Set([...plan.rerouted, ...unclear]) };
}

/** Rethrows an error, but not the end of a wait. */
function unlessAborted(signal: AbortSignal): (thrown: unknown) => void {
  return (thrown) => {
    if (!signal.aborted) throw thrown;
  };
}

/** Closes sessions in workers that earlier reloads have replaced. */
async function leaveOldWorkers(step: HaproxyStep, plan: HaproxyPlan): Promise<void> {
  const { reload, signal, warn } = step;
  if (reload.master === undefined) return;
  const master = new HaproxyMaster(reload.master);
  const departure = departureOf(step, plan);
  try {
    const workers = await master.oldWorkers(signal);
    await Promise.all(workers.map((worker) => closeSessions(worker, departure, signal)));
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) throw thrown;
    warn(`Cannot close sessions in old workers of HAProxy. ${SwitchmasterError.from(thrown).message}`);
  }
}
