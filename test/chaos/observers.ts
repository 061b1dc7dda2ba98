import { formatAddress } from '../../lib/model/address.ts';
import { parseRecord } from '../../lib/model/record.ts';
import { Line, Majority, Observer, RecordObserver } from '../integration/window/observers.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import type { Reply } from '../sandbox/resp.ts';
import type { SeenKeys, SeenRecord } from './rules.ts';
import type { Stage } from './stage.ts';

interface KvEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

/** The record and the plain keys of one master in one answer. They never differ for long. */
class KeysObserver extends Observer {
  readonly seen: SeenKeys[] = [];
  readonly #consul: ConsulAgent;
  readonly #name: string;

  constructor(consul: ConsulAgent, name: string) {
    super(25);
    this.#consul = consul;
    this.#name = name;
  }

  protected override async look(): Promise<void> {
    const entries = (await this.#consul.get<KvEntry[]>('/v1/kv/redis/?recurse')) ?? [];
    const texts = new Map(entries.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64').toString('utf8')]));
    const text = texts.get(`redis/record/${this.#name}`);
    const record = text === undefined ? undefined : parseRecord(text);
    const plain = texts.get(`redis/master/${this.#name}`);
    const epoch = texts.get(`redis/master/${this.#name}/epoch`);
    const isWhole = record !== undefined && plain === formatAddress(record.master) && epoch === String(record.epoch);
    const last = this.seen.at(-1);
    if (last?.isWhole !== isWhole) this.seen.push({ atMs: Date.now(), isWhole, plain, record: text });
  }

  protected override release(): void {}
}

/** Which server DNS names, and since when. */
class DnsObserver extends Observer {
  readonly seen: { readonly atMs: number; readonly addresses: readonly string[] }[] = [];
  readonly #ask: () => Promise<string[]>;

  constructor(consul: ConsulAgent, name: string) {
    super(20);
    this.#ask = () => consul.dnsA(`${name}.redis-master.service.consul`);
  }

  protected override async look(): Promise<void> {
    const addresses = await this.#ask();
    if (this.seen.at(-1)?.addresses.join() !== addresses.join()) this.seen.push({ atMs: Date.now(), addresses });
  }

  protected override release(): void {}
}

/** Every change of the role of one server. */
class RoleObserver extends Observer {
  readonly seen: SeenRole[] = [];
  readonly #server: RedisServer;
  readonly #line: Line;

  constructor(server: RedisServer) {
    super(100);
    this.#server = server;
    this.#line = new Line(server.address, 300);
  }

  protected override async look(): Promise<void> {
    const role = readRole(await this.#line.command('ROLE').catch(() => undefined));
    if (this.seen.at(-1)?.role !== role) this.seen.push({ atMs: Date.now(), server: this.#server.name, role });
  }

  protected override release(): void {
    this.#line.close();
  }
}

interface SeenRole {
  readonly atMs: number;
  readonly server: string;
  /** Such as `replica of 127.0.0.1:7001 (connected)`, or `no answer`. */
  readonly role: string;
}

function readRole(reply: Reply | undefined): string {
  if (!Array.isArray(reply)) return 'no answer';
  if (reply[0] === 'master') return 'master';
  return `replica of ${reply[1]}:${reply[2]} (${reply[3]})`;
}

/** What independent observers see of one master. */
export class MasterObservers {
  readonly shard: Shard;
  readonly majority: Majority;
  readonly #records: RecordObserver;
  readonly #keys: KeysObserver;
  readonly #dns: DnsObserver;
  readonly #roles: readonly RoleObserver[];

  constructor(stage: Stage, shard: Shard) {
    this.shard = shard;
    this.majority = new Majority(stage.sentinels, shard.name);
    this.#records = new RecordObserver(stage.consul, { name: shard.name });
    this.#keys = new KeysObserver(stage.consul, shard.name);
    this.#dns = new DnsObserver(stage.consul, shard.name);
    this.#roles = shard.servers.map((server) => new RoleObserver(server));
  }

  get records(): readonly SeenRecord[] {
    return this.#records.seen;
  }

  get keys(): readonly SeenKeys[] {
    return this.#keys.seen;
  }

  get dns(): DnsObserver['seen'] {
    return this.#dns.seen;
  }

  get roles(): readonly SeenRole[] {
    return this.#roles.flatMap(({ seen }) => seen);
  }

  async close(): Promise<void> {
    const observers = [this.majority, this.#records, this.#keys, this.#dns, ...this.#roles];
    await Promise.all(observers.map((observer) => observer.close()));
  }
}
