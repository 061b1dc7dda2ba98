import type { SwitchmasterError } from '../../errors.ts';
import { momentReport } from '../../loop/moment-report.ts';
import type { Outcome, RunReport } from '../../loop/outcome.ts';
import { formatAddress } from '../../model/address.ts';
import type { Contact, InactiveReason, IsolationReading, IsolationState } from './plan/state.ts';

/* What people read about isolation. */

const contactNames: Readonly<Record<Contact, string>> = {
  replica: 'a replica in sync',
  sentinels: 'a majority of its Sentinels',
  consul: "Consul's leader",
};

const inactiveTexts: Readonly<Record<InactiveReason, string>> = {
  'not answered': 'it does not answer',
  replica: 'it is a replica',
  'no sentinels': 'no Sentinel is known that monitors it',
  'no replicas': 'it has no replica, so nobody can take its place',
  maintenance: 'it is in maintenance',
  'replaced for too long': 'it was replaced, and nobody made it a replica in time',
  'successor unconfirmed': 'the record names another master, but no majority of the Sentinels confirmed it in time',
};

/** One sentence about the state, without a time that changes. */
export function describeState(state: IsolationState, reading: IsolationReading): string {
  switch (state.kind) {
    case 'inactive':
      return `its writes are not paused: ${inactiveTexts[state.why]}`;
    case 'connected':
      return `it hears ${contactNames[state.by]}`;
    case 'silent':
      return `nobody answers: ${describeSilence(reading)}`;
    case 'isolated':
      return `it is isolated: ${describeSilence(reading)}`;
    case 'replaced':
      return describeSuccessor(state);
  }
}

/**
 * What to do about a master that is or was isolated. One that was replaced in an ordinary failover is a replica soon; if not, the
 * problem `second-master` names it.
 */
export function describeProblem(
  state: IsolationState,
  given: {
    readonly server: string;
    readonly reading: IsolationReading;
    readonly failure: SwitchmasterError | undefined;
  },
): readonly string[] {
  if (state.kind !== 'isolated' && !(state.kind === 'replaced' && state.after === 'isolation')) return [];
  const { server, reading, failure } = given;
  const fix =
    state.kind === 'replaced'
      ? 'make it a replica of the master, if that does not happen by itself'
      : 'repair the network of this node: the writes resume when one of them answers';
  const writes = failure === undefined ? 'its writes are paused' : `its writes cannot be paused (${failure.message})`;
  return [`master ${server}: ${describeState(state, reading)}; ${writes}; ${fix}`];
}

/** What a server refuses, before it is needed. */
export function describeRefusedPause({ server, says }: { readonly server: string; readonly says: string }): string {
  const fix = says.startsWith('NOPERM')
    ? 'give the user of register the rule +client|pause +client|unpause (docs/reference/redis-acl.md)'
    : 'use Redis 6.2 or later, permit the command, or set isolation: ignore';
  return `Redis ${server} refuses CLIENT PAUSE WRITE (${says.trim()}): if it is isolated as a master, it acknowledges writes that will be lost; ${fix}`;
}

/** For the journal: the state changed in a way that concerns writes. */
export function isolationReport(change: {
  readonly name: string;
  readonly server: string;
  readonly before: IsolationState | undefined;
  readonly after: IsolationState;
  readonly reading: IsolationReading;
  readonly failure: SwitchmasterError | undefined;
}): RunReport {
  const { name, server, before, after, reading, failure } = change;
  const { sentinels, consul } = reading;
  const details = {
    cause: 'isolation',
    state: after.kind,
    address: server,
    ...(sentinels.heard === 'unasked' ? {} : { sentinelsHeard: sentinels.heard, sentinelsKnown: sentinels.known }),
    ...(consul === 'unasked' ? {} : { consul }),
    ...(after.kind === 'isolated' ? { silentMs: Math.round(after.atMs - after.heardMs) } : {}),
    ...(before?.kind === 'isolated' ? { isolatedMs: Math.round(after.atMs - before.sinceMs) } : {}),
  };
  const outcome: Outcome =
    failure === undefined
      ? { kind: 'applied', summary: `master ${server}: ${describeChange(change)}`, details }
      : { kind: 'held', summary: `master ${server}: ${describeFailure(change, failure)}`, details };
  return momentReport({ loop: 'isolation', key: name, hint: [`redis ${server}`, after.kind], outcome });
}

function describeChange({
  before,
  after,
  reading,
}: {
  readonly before: IsolationState | undefined;
  readonly after: IsolationState;
  readonly reading: IsolationReading;
}): string {
  if (after.kind === 'isolated') {
    const silent = before?.kind === 'replaced' ? '' : ` for ${seconds(after.atMs - after.heardMs)}`;
    return `${describeSilence(reading)}${silent}: writes paused`;
  }
  if (after.kind === 'replaced') return `${describeSuccessor(after)}: its writes are paused until it is a replica`;
  const lasted = before?.kind === 'isolated' ? `, after ${seconds(after.atMs - before.sinceMs)}` : '';
  return `${describeState(after, reading)}${lasted}: writes resumed`;
}

function describeFailure(
  { after, reading }: { readonly after: IsolationState; readonly reading: IsolationReading },
  { message }: SwitchmasterError,
): string {
  const verb = after.kind === 'isolated' || after.kind === 'replaced' ? 'paused' : 'resumed at once';
  return `${describeState(after, reading)}; its writes cannot be ${verb}: ${message}`;
}

function describeSuccessor({ successor, by }: Extract<IsolationState, { kind: 'replaced' }>): string {
  const what =
    successor === 'being promoted' ? 'a failover is under way' : `the master is now ${formatAddress(successor)}`;
  return `it hears ${contactNames[by]}, and ${what}`;
}

function describeSilence({ sentinels, server }: IsolationReading): string {
  const heard = sentinels.heard === 'unasked' ? 0 : sentinels.heard;
  const replica =
    server.kind === 'master' && server.ackAgeMs !== undefined ? 'no replica acknowledges' : 'no replica is connected';
  return `${heard} of ${sentinels.known} Sentinels and not Consul's leader answer, and ${replica}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
