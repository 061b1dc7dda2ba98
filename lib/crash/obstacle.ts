import { refusesCommand } from '../client/redis-errors.ts';
import { SwitchmasterError } from '../errors.ts';
import type { CrashSign } from '../model/crash.ts';
import type { CrashEndKind } from '../model/crash-end.ts';

/** Why a proven crash leads to no order. */
export interface Obstacle {
  readonly kind: CrashEndKind;
  readonly why: string;
  /** For how long, if that is known. */
  readonly forMs?: number | undefined;
}

/** What ends a proof that was complete, or keeps the order from being given. */
export const obstacles = {
  'not-crashed': { kind: 'back', why: 'a process accepts connections again' },
  unclear: { kind: 'unclear', why: 'its host does not refuse connections any more, and nothing answers there' },
  'claim-lost': { kind: 'ordered-elsewhere', why: 'another bridge has noted an order' },
  'claim-late': { kind: 'consul', why: 'Consul took too long for the note of the order' },
} as const satisfies Readonly<Record<string, Obstacle>>;

export const noLease = { kind: 'missing', end: 'consul', why: 'the lease was not requested' } as const;

/**
 * Whether an end can be what another bridge's order looks like to this one: a failover of others, a lease that it does not get, or a
 * note that was there first.
 */
export function looksLikeOrder(
  { kind }: { readonly kind: CrashEndKind },
  lease: { readonly isHeldElsewhere: boolean } | undefined,
): boolean {
  if (kind === 'consul') return lease?.isHeldElsewhere === true;
  return kind === 'others-act' || kind === 'too-soon' || kind === 'ordered-elsewhere';
}

/** Of a case that failed before any proof. */
export const unprovenSign: CrashSign = { kind: 'refused', connection: { kind: 'no-proof' } };

/** A failure of this program, or its end. */
export function toFailure(thrown: unknown, signal: AbortSignal): Obstacle {
  if (signal.aborted) return { kind: 'stopped', why: 'the daemon stops, or reads its config again' };
  return { kind: 'failed', why: SwitchmasterError.from(thrown).message };
}

/** An order, or the note of it in Consul, that failed. */
export function toRefusal(error: SwitchmasterError): Obstacle {
  return { kind: refusalKind(error), why: error.message };
}

function refusalKind(error: SwitchmasterError): CrashEndKind {
  const { code } = error;
  if (code === 'redis-refused') return 'refused';
  if (code === 'consul-denied' || (code === 'redis-denied' && refusesCommand(error))) return 'right-missing';
  return code.startsWith('consul-') ? 'consul' : 'unanswered';
}
