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

/** Why a master must not be killed on purpose: nothing could take its place. undefined where a replica can. */
export function whyNotKill(
  { name, master, replicas, phase }: MasterRecord,
  { maintenance, sentinels }: KnownMaster,
): string | undefined {
  if (maintenance?.state === 'on') return `${name} is in maintenance: ${maintenance.text}`;
  if (phase !== 'confirmed') return `the last failover of ${name} is not confirmed yet`;
  if (replicas.length === 0) return `${name} has no replica to promote`;
  const agreeing = sentinels.filter(({ agrees, tiltSince }) => agrees === true && tiltSince === null);
  if (agreeing.length * 2 <= sentinels.length)
    return `${agreeing.length} of ${sentinels.length} Sentinels name ${formatAddress(master)} as the master of ${name}, and are not in TILT mode`;
  const canSucceed = (replica: Address) =>
    agreeing.every((one) => {
      const seen = one.replicas.find(({ address }) => sameAddress(address, replica));
      return seen?.condition === 'up' && (seen.priority ?? 0) !== 0;
    });
  if (replicas.some(canSucceed)) return undefined;
  return `the Sentinels see no replica of ${name} that is in sync and may be promoted`;
}
