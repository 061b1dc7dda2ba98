import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';

/** What is known of a master beside its record. */
interface KnownMaster {
  readonly maintenance: { readonly state: string; readonly text: string } | null;
  readonly sentinels: readonly {
    readonly agrees: boolean | null;
    /** In TILT mode it carries out no failover. */
    readonly tiltSince: string | null;
    readonly replicas: readonly {
      readonly address: Address;
      readonly condition: string;
      /** Sentinel never promotes a replica with 0. */
      readonly priority: number | null;
    }[];
  }[];
}

export interface Obstacle {
  /** `for-now`: it ends without anybody's help, as after a failover. */
  readonly lasts: 'for-now' | 'until-changed';
  readonly why: string;
}

const pollMs = 200;

/**
 * Waits until a replica could take the place of the master, and returns the record of that moment. Rejects with `failover-refused`
 * where none can, or not in time.
 */
export async function awaitSuccessor<Known extends { readonly record: MasterRecord }>(options: {
  readonly ask: () => Promise<Known>;
  readonly whyNot: (known: Known) => Obstacle | undefined;
  readonly timeoutMs: number;
  readonly onWait: (why: string) => void;
}): Promise<MasterRecord> {
  const endMs = performance.now() + options.timeoutMs;
  let shown: string | undefined;
  for (;;) {
    const known = await options.ask();
    const obstacle = options.whyNot(known);
    if (obstacle === undefined) return known.record;
    const { lasts, why } = obstacle;
    if (lasts === 'until-changed' || performance.now() >= endMs) throw notKilled(why);
    if (why !== shown) options.onWait(why);
    shown = why;
    await delay(pollMs);
  }
}

/** Nothing but a failover ends what a kill begins. Throws `failover-refused` where none could follow. */
export function requireSuccessor(obstacle: Obstacle | undefined): void {
  if (obstacle !== undefined) throw notKilled(obstacle.why);
}

function notKilled(why: string): SwitchmasterError {
  return new SwitchmasterError('failover-refused', `nothing was killed: ${why}`);
}

/** Why a master must not be killed on purpose: nothing could take its place. undefined where a replica can. */
export function whyNotKill(
  { name, master, replicas, phase }: MasterRecord,
  { maintenance, sentinels }: KnownMaster,
): Obstacle | undefined {
  const [changeable, passing] = [
    (why: string) => ({ lasts: 'until-changed', why }) as const,
    (why: string) => ({ lasts: 'for-now', why }) as const,
  ];
  if (maintenance?.state === 'on') return changeable(`${name} is in maintenance: ${maintenance.text}`);
  if (replicas.length === 0) return changeable(`${name} has no replica to promote`);
  if (phase !== 'confirmed') return passing(`the last failover of ${name} is not confirmed yet`);
  const agreeing = sentinels.filter(({ agrees, tiltSince }) => agrees === true && tiltSince === null);
  if (agreeing.length * 2 <= sentinels.length)
    return passing(
      `${agreeing.length} of ${sentinels.length} Sentinels name ${formatAddress(master)} as the master of ${name}, and are not in TILT mode`,
    );
  const canSucceed = (replica: Address) =>
    agreeing.every((one) => {
      const seen = one.replicas.find(({ address }) => sameAddress(address, replica));
      return seen?.condition === 'up' && (seen.priority ?? 0) !== 0;
    });
  if (replicas.some(canSucceed)) return undefined;
  return passing(`the Sentinels see no replica of ${name} that is in sync and may be promoted`);
}
