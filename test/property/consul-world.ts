import type { RecordReading } from '../../lib/bridge/observe/record-slices.ts';
import type { TransactionResult } from '../../lib/client/consul.ts';
import type { Indexed } from '../../lib/client/consul-options.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Address } from '../../lib/model/address.ts';
import type { CatalogOperation, InstanceCheck, KvEntry, ServiceInstance } from '../../lib/model/catalog.ts';
import { type MasterRecord, parseRecord, readStoredRecord } from '../../lib/model/record.ts';

const recordKey = 'redis/record/m';

export interface Commit {
  readonly before: MasterRecord | undefined;
  readonly after: MasterRecord | undefined;
  readonly operations: readonly CatalogOperation[];
}

/** Consul as bridges use it: atomic transactions, and an index. */
export class ConsulWorld {
  /** Requests are lost. `deaf`: Consul carries them out, and the answers are lost. */
  down: 'deaf' | 'dead' | undefined;
  index = 1;
  resets = 0;
  /** Called after each transaction. */
  onCommit: (commit: Commit) => void = () => {};
  #keys = new Map<string, KvEntry>();
  #node: Pick<ServiceInstance, 'nodeAddress' | 'nodeMeta'> = { nodeAddress: '', nodeMeta: {} };
  #services = new Map<string, ServiceInstance>();

  async transact(operations: readonly CatalogOperation[]): Promise<TransactionResult> {
    if (this.down === 'dead') throw unreachable();
    const refused = operations.flatMap((operation, step) => (this.#allows(operation) ? [] : [{ step, what: 'index' }]));
    if (refused.length > 0) return { kind: 'conflict', errors: refused };
    this.index += 1;
    const before = this.record;
    for (const operation of operations) this.#apply(operation);
    this.onCommit({ before, after: this.record, operations });
    if (this.down !== undefined) throw unreachable();
    const written = [...this.#keys.values()].filter(({ modifyIndex }) => modifyIndex === this.index);
    return { kind: 'committed', indexes: new Map(written.map(({ key }) => [key, this.index])) };
  }

  /** What the bridge's writer reads without its watch. */
  async read(): Promise<Indexed<KvEntry | undefined>> {
    if (this.down !== undefined) throw unreachable();
    return { value: this.#keys.get(recordKey), index: BigInt(this.index), knownLeader: true, lastContactMs: 0 };
  }

  /** What the watches push. */
  reading(): RecordReading {
    return {
      held: readStoredRecord(this.#keys.get(recordKey), 'm'),
      catalogContents: {
        keys: new Map([...this.#keys].filter(([key]) => key !== recordKey)),
        instances: [...this.#services.values()].map((service) => ({ ...service, ...this.#node })),
      },
      index: BigInt(this.index),
      resets: this.resets,
    };
  }

  get record(): MasterRecord | undefined {
    const entry = this.#keys.get(recordKey);
    return entry === undefined ? undefined : parseRecord(entry.value);
  }

  /** Master and epoch by the record, the plain keys and the service, each once. */
  published(): readonly string[] {
    const value = (end: string) => this.#keys.get(`redis/master/m${end}`)?.value;
    const record = this.record;
    const service = this.#services.get('redis-master');
    const all = [
      `${record?.master.host}:${record?.master.port}@${record?.epoch}`,
      `${value('')}@${value('/epoch')}`,
      `${value('/host')}:${value('/port')}@${value('/epoch')}`,
      `${service?.address}:${service?.port}@${service?.meta.epoch}`,
    ];
    return [...new Set(all)];
  }

  /** The check of the master, as `status: output`. */
  get masterCheck(): string | undefined {
    const [check] = this.#services.get('redis-master')?.checks ?? [];
    return check === undefined ? undefined : `${check.status}: ${check.output}`;
  }

  /** Writes by hand. */
  put(key: string, value: string): void {
    this.index += 1;
    this.#keys.set(key, { key, value, modifyIndex: this.index });
  }

  deleteKey(key: string): void {
    this.index += 1;
    this.#keys.delete(key);
  }

  /** Registers the master's service with another address. */
  moveService({ host, port }: Address): void {
    const service = this.#services.get('redis-master');
    if (service === undefined) return;
    this.index += 1;
    this.#services.set(service.id, { ...service, address: host, port });
  }

  deregister(): void {
    this.index += 1;
    this.#services.clear();
    this.#node = { nodeAddress: '', nodeMeta: {} };
  }

  /** Loses all data. The index begins again, but never at a value that it had before. */
  wipe(): void {
    this.resets += 1;
    this.index = this.resets * 1_000_000;
    this.#keys = new Map();
    this.#services = new Map();
    this.#node = { nodeAddress: '', nodeMeta: {} };
  }

  #allows(operation: CatalogOperation): boolean {
    if (operation.kind !== 'kv-cas' && operation.kind !== 'kv-check-index') return true;
    return (this.#keys.get(operation.key)?.modifyIndex ?? 0) === operation.index;
  }

  #apply(operation: CatalogOperation): void {
    switch (operation.kind) {
      case 'kv-set':
        if (this.#keys.get(operation.key)?.value === operation.value) return;
        this.#keys.set(operation.key, { key: operation.key, value: operation.value, modifyIndex: this.index });
        return;
      case 'kv-cas':
        this.#keys.set(operation.key, { key: operation.key, value: operation.value, modifyIndex: this.index });
        return;
      case 'node-set':
        this.#node = { nodeAddress: operation.address, nodeMeta: operation.meta };
        return;
      case 'service-set': {
        const checks = this.#services.get(operation.service.id)?.checks ?? [];
        const place = { node: operation.node, datacenter: 'dc1', ...this.#node };
        this.#services.set(operation.service.id, { ...operation.service, ...place, checks });
        return;
      }
      case 'service-delete':
        this.#services.delete(operation.serviceId);
        return;
      case 'check-set':
        this.#check(operation.check);
        return;
      default:
        return;
    }
  }

  #check(check: InstanceCheck): void {
    const service = this.#services.get(check.serviceId);
    if (service === undefined) return;
    const others = service.checks.filter(({ id }) => id !== check.id);
    this.#services.set(service.id, { ...service, checks: [...others, check] });
  }
}

function unreachable(): SwitchmasterError {
  return new SwitchmasterError('consul-unreachable', 'Consul does not answer');
}
