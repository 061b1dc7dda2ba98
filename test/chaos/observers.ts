import { type Address, formatAddress } from '../../lib/model/address.ts';
import { type MasterRecord, parseRecord } from '../../lib/model/record.ts';
import { Majority, RecordWitness, Witness } from '../integration/window/witnesses.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { Shard } from '../sandbox/redis.ts';
import type { SeenKeys, SeenRecord } from './rules.ts';
import { readFileOrNothing, type Stage } from './stage.ts';

interface KvEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

/** The record and the plain keys of one master as one request shows them: they never differ for long. */
class KeysWitness extends Witness {
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

/** Whom DNS names, and since when. */
class DnsWitness extends Witness {
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

/** What independent observers see of one master. */
export class MasterObservers {
  readonly shard: Shard;
  readonly majority: Majority;
  readonly #records: RecordWitness;
  readonly #keys: KeysWitness;
  readonly #dns: DnsWitness;

  constructor(stage: Stage, shard: Shard) {
    this.shard = shard;
    this.majority = new Majority(stage.sentinels, shard.name);
    this.#records = new RecordWitness(stage.consul, { name: shard.name });
    this.#keys = new KeysWitness(stage.consul, shard.name);
    this.#dns = new DnsWitness(stage.consul, shard.name);
  }

  get records(): readonly SeenRecord[] {
    return this.#records.seen;
  }

  get keys(): readonly SeenKeys[] {
    return this.#keys.seen;
  }

  get dns(): DnsWitness['seen'] {
    return this.#dns.seen;
  }

  async close(): Promise<void> {
    await Promise.all([this.majority, this.#records, this.#keys, this.#dns].map((witness) => witness.close()));
  }
}

/** Whom each place names as the master of one shard, once everything is whole again. */
export async function whereItPoints(stage: Stage, shard: Shard): Promise<Readonly<Record<string, string>>> {
  const { consul, files, sentinels } = stage;
  const [record, plain, dns, srv] = await Promise.all([
    readRecord(consul, shard.name),
    consul.key(`redis/master/${shard.name}`),
    consul.dnsA(`${shard.name}.redis-master.service.consul`),
    consul.dnsSrv(`${shard.name}.redis-master.service.consul`),
  ]);
  const roles = await Promise.all(shard.servers.map(async (server) => [server, await server.role()] as const));
  const masters = roles.filter(([, role]) => role === 'master').map(([{ address }]) => formatAddress(address));
  const named = await Promise.all(sentinels.map((sentinel) => sentinel.masterAddress(shard.name)));
  return {
    record: record === undefined ? 'none' : formatAddress(record.master),
    phase: record?.phase ?? 'none',
    key: plain ?? 'none',
    dns: dns.map((host, index) => `${host}:${srv[index]?.port ?? '?'}`).join(' '),
    role: masters.join(' '),
    sentinels: [...new Set(named.map(formatAddress))].join(' '),
    haproxy: serverIn(readFileOrNothing(files.haproxy), shard),
    twemproxy: serverIn(readFileOrNothing(files.twemproxy), shard),
    app: appAddress(readFileOrNothing(files.app), shard.name),
  };
}

async function readRecord(consul: ConsulAgent, name: string): Promise<MasterRecord | undefined> {
  const text = await consul.key(`redis/record/${name}`);
  return text === undefined ? undefined : parseRecord(text);
}

/** Both bundled templates name no other address of a shard than its master's. */
function serverIn(text: string, shard: Shard): string {
  return shard.servers
    .map(({ address }) => formatAddress(address))
    .filter((address) => new RegExp(`${address.replaceAll('.', '\\.')}\\b`).test(text))
    .join(' ');
}

function appAddress(text: string, name: string): string {
  try {
    const { masters } = JSON.parse(text) as { masters: Record<string, Address> };
    const master = masters[name];
    return master === undefined ? 'none' : formatAddress(master);
  } catch {
    return 'unreadable';
  }
}
