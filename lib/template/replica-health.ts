import { type Address, sameAddress } from '../model/address.ts';
import type { ServiceInstance } from '../model/catalog.ts';
import { instanceKinds } from '../model/instance-kinds.ts';
import { recordedAddress } from '../model/master-instance.ts';
import { isOfOtherEnvironment } from '../model/master-node.ts';
import { externalNode, masterOfNode, replicaService } from '../model/naming.ts';
import type { RenderScope } from './scope.ts';
import { type InstanceStatus, statusOf } from './service-query.ts';

export interface ReplicaHealth {
  /** The state of the bridge's check, which is the opinion of the Sentinels; `unknown` where Consul has none. */
  readonly health: InstanceStatus | 'unknown';
  /** The output of that check. */
  readonly says: string;
  /** Whether clients can read from it. */
  readonly readable: boolean;
}

/**
 * Reads the health of a master's replicas. One can be read from while the Sentinels see it up and linked to its master, and
 * while the process itself, where a node registered it, is neither critical nor in maintenance. A replica without a check
 * counts as readable: the record lists it.
 */
export function readReplicaHealth(scope: RenderScope, master: string): (replica: Address) => ReplicaHealth {
  const node = externalNode(scope.world, master);
  const bridged = read(scope, replicaService).filter(
    ({ node: on, nodeMeta }) =>
      masterOfNode(scope.world, nodeMeta) === master || (on === node && !isOfOtherEnvironment(scope.world, nodeMeta)),
  );
  const processes = read(scope, instanceKinds.redis.service);
  return (replica) => {
    const judged = bridged.find((instance) => sameAddress(recordedAddress(instance), replica));
    const health = judged === undefined ? 'unknown' : statusOf(judged);
    const says = judged?.checks.map(({ output }) => output).join('; ') ?? '';
    const own = processes.filter((instance) => isAt(instance, replica)).map(statusOf);
    const serves = own.every((status) => status !== 'critical' && status !== 'maintenance');
    return { health, says, readable: serves && (health === 'passing' || health === 'unknown') };
  };
}

function read(scope: RenderScope, service: string): readonly ServiceInstance[] {
  return scope.read({ kind: 'service', service })?.value ?? [];
}

function isAt({ address: host, port }: ServiceInstance, replica: Address): boolean {
  return sameAddress({ host, port }, replica);
}
