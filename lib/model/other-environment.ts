import { type Address, formatAddress, sameAddress } from './address.ts';
import type { ServiceInstance } from './catalog.ts';
import { recordedAddress } from './master-instance.ts';
import { isOfOtherEnvironment } from './master-node.ts';
import { describeEnvironment, type Naming, nodeMetaKeys } from './naming.ts';
import type { MasterRecord } from './record.ts';
import { shellWord } from './shell-words.ts';

/** The registration of a master by the bridges of another environment, now or formerly. */
export interface OtherEnvironment {
  readonly master: string;
  /** The empty text is none. */
  readonly environment: string;
  readonly address: Address;
  readonly node: string;
}

type Instance = Pick<ServiceInstance, 'node' | 'nodeMeta' | 'address' | 'port' | 'meta'>;

/** Reads an instance of `redis-master`. undefined if no bridge of another environment registered it. */
export function readOtherEnvironment(instance: Instance, naming: Naming): OtherEnvironment | undefined {
  const { node, nodeMeta } = instance;
  const [master, environment] = [nodeMeta[nodeMetaKeys.master], nodeMeta[nodeMetaKeys.environment]];
  if (master === undefined || environment === undefined || !isOfOtherEnvironment(naming, nodeMeta)) return undefined;
  return { master, environment, address: recordedAddress(instance), node };
}

/**
 * The registrations of the same master in other environments. Charts name every master `mymaster`, so the name says nothing:
 * it is the same one where the record names the server.
 */
export function findSameMaster(
  others: readonly OtherEnvironment[],
  record: Pick<MasterRecord, 'name' | 'master' | 'replicas' | 'previous'> | undefined,
): readonly OtherEnvironment[] {
  if (record === undefined) return [];
  const servers = [record.master, ...record.replicas, ...(record.previous === null ? [] : [record.previous])];
  return others.filter(
    ({ master, address }) => master === record.name && servers.some((server) => sameAddress(server, address)),
  );
}

/** switchmaster does not remove it: a daemon may still have that environment. */
export function describeOtherEnvironment({ environment, address, node }: OtherEnvironment): string {
  const where = describeEnvironment({ environment: environment === '' ? undefined : environment });
  return `Consul lists the same master ${where} too, as ${formatAddress(address)} (node ${node}): its keys and its names in DNS follow no failover if no daemon has that environment any more; remove it then`;
}

export function removeOtherEnvironment({ master, environment }: OtherEnvironment): string {
  return `switchmaster forget ${shellWord(master)} --environment ${shellWord(environment)}`;
}
