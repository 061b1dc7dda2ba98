import type { Redis } from 'ioredis';
import { type Address, formatAddress, toAddress } from '../model/address.ts';
import {
  type MonitoredMaster,
  type Monitoring,
  type ProvisioningStep,
  readableOptions,
} from '../model/provisioning.ts';
import { withRedisDeadline } from './deadline.ts';
import { connectNow, openRedis, type RedisAccess } from './redis-connection.ts';
import { translateRedisError } from './redis-errors.ts';
import { readCondition, readCount, readFieldsList } from './sentinel-shapes.ts';

/** A connection to one Sentinel that reads and changes what the Sentinel monitors. */
export class SentinelMonitoringLink {
  readonly address: Address;
  readonly #redis: Redis;
  #lastError: Error | undefined;

  constructor(address: Address, access: RedisAccess) {
    this.address = address;
    this.#redis = openRedis(address, access);
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  /** Rejects with a SwitchmasterError. */
  async monitoring(options: { readonly timeoutMs: number }): Promise<Monitoring> {
    const what = `SENTINEL MASTERS at ${formatAddress(this.address)}`;
    const list = readFieldsList(await this.#call(['MASTERS'], options), what);
    const masters = list.map((fields): MonitoredMaster => {
      const { condition } = readCondition(fields);
      return {
        name: fields.name ?? '',
        address: toAddress(fields.ip, fields.port),
        quorum: readCount(fields, 'quorum', what),
        state: condition === 'failover' ? 'failing-over' : condition === 'o_down' ? 'down' : 'idle',
        options: Object.fromEntries(readableOptions.map((name) => [name, fields[name] ?? ''])),
      };
    });
    return { sentinel: this.address, masters };
  }

  /** Rejects with a SwitchmasterError where the Sentinel refuses. */
  async configure(step: ProvisioningStep, options: { readonly timeoutMs: number }): Promise<void> {
    await this.#call(argumentsOf(step), options);
  }

  close(): void {
    this.#redis.removeAllListeners();
    this.#redis.on('error', () => {});
    this.#redis.disconnect();
  }

  async #call(args: readonly string[], { timeoutMs }: { readonly timeoutMs: number }): Promise<unknown> {
    connectNow(this.#redis);
    // Without the arguments of SET, because they may be passwords.
    const what = `SENTINEL ${args.slice(0, 2).join(' ')} at ${formatAddress(this.address)}`;
    try {
      return await withRedisDeadline(this.#redis.call('SENTINEL', ...args), { what, timeoutMs });
    } catch (thrown) {
      throw translateRedisError(thrown, { what, lastError: this.#lastError });
    }
  }
}

function argumentsOf(step: ProvisioningStep): readonly string[] {
  switch (step.kind) {
    case 'monitor':
      return ['MONITOR', step.name, step.address.host, String(step.address.port), String(step.quorum)];
    case 'set':
      return ['SET', step.name, ...Object.entries(step.options).flat()];
    case 'remove':
      return ['REMOVE', step.name];
  }
}
