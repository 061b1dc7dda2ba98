import type { ConsulClient } from '../client/consul.ts';
import { readIndexedNode } from '../client/consul-node.ts';
import type { AccessConfig, Config } from '../config/model.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import type { KvEntry, ServiceInstance } from '../model/catalog.ts';
import { instanceKinds } from '../model/instance-kinds.ts';
import { maintenanceKey } from '../model/maintenance-keys.ts';
import { distinctNode, isOfOtherEnvironment } from '../model/master-node.ts';
import {
  clusterCrashPrefix,
  clusterKey,
  clusterPrefix,
  crashEvidenceKey,
  crashOrderKey,
  crashPrefix,
  externalNode,
  masterOfNode,
  type Naming,
  nameInKey,
  nameTag,
  plainKey,
  provisionedKey,
  recordKey,
  recordPrefix,
  steeringKey,
} from '../model/naming.ts';
import { isMarkerKey } from '../model/records.ts';
import { findMentions } from './mentions.ts';
import { recordFormat } from './plan/former-environment.ts';
import { desiredKey, type RemovableNode, type RemovalSnapshot, type Successor } from './plan/snapshot.ts';
import { askSentinels } from './sentinels.ts';

const timeoutMs = 3_000;

type Subject = Pick<RemovalSnapshot, 'name' | 'subject' | 'naming'>;

/** What to remove. `former`: the environment that has it, where that is not the config's. */
export interface RemovalSubject extends Pick<RemovalSnapshot, 'name' | 'subject'> {
  readonly former?: Naming | undefined;
}

/** Reads everything that a removal deletes, and what is in its way. Rejects if Consul or its ACLs do not let it. */
export async function observeRemoval(
  client: ConsulClient,
  { config, name, subject, former }: { readonly config: Config } & RemovalSubject,
): Promise<RemovalSnapshot> {
  const own: Naming = { environment: config.environment };
  const isMoved = former !== undefined && former.environment !== own.environment;
  const naming = isMoved ? former : own;
  const of: Subject = { name, subject, naming };
  const hidden: string[] = [];
  const reader = new Reader(client, (why) => hidden.push(why));
  const [keys, nodes, registered, recorded, sentinels, successor] = await Promise.all([
    readKeys(reader, of),
    subject === 'master' ? readNodes(client, of) : [],
    isMoved ? [] : readRegistered(reader, of),
    readNames(reader, of),
    subject === 'master' && !isMoved ? findSentinels(reader, { config, name }) : [],
    isMoved ? readSuccessor(reader, { ...of, naming: own }) : undefined,
  ]);
  return {
    ...of,
    ...{ keys, nodes, registered, hidden, recorded, sentinels, successor },
    scope: client.scope,
    sentinelOptions: config.sentinel === undefined ? [] : clientOptions(config.sentinel.access),
    mentions: isMoved ? [] : findMentions(config, of),
  };
}

async function readSuccessor(reader: Reader, { name, naming, subject }: Subject): Promise<Successor> {
  const { keyOf, parse } = recordFormat({ subject, name });
  const [[record], desired] = await Promise.all([
    reader.key(keyOf(naming), 'needed'),
    subject === 'master' ? reader.key(desiredKey(naming, name), 'optional') : [],
  ]);
  return {
    naming,
    record: record === undefined ? undefined : parse(record.value),
    desired: desired.length === 0 ? 'absent' : 'present',
  };
}

type Need = 'needed' | 'optional';

/** Reads consistently. What the token may not read is empty and noted where it is optional. */
class Reader {
  readonly #client: ConsulClient;
  readonly #onHidden: (why: string) => void;

  constructor(client: ConsulClient, onHidden: (why: string) => void) {
    this.#client = client;
    this.#onHidden = onHidden;
  }

  async key(key: string, need: Need): Promise<readonly KvEntry[]> {
    const read = async () => (await this.#client.read({ kind: 'key', key }, consistent)).value;
    const entry = await this.#permit(need, read);
    return entry === undefined ? [] : [entry];
  }

  async tree(prefix: string, need: Need): Promise<readonly KvEntry[]> {
    const read = async () => (await this.#client.read({ kind: 'key-tree', prefix }, consistent)).value;
    return (await this.#permit(need, read)) ?? [];
  }

  async service(service: string): Promise<readonly ServiceInstance[]> {
    const read = async () => (await this.#client.read({ kind: 'service', service }, consistent)).value;
    return (await this.#permit('optional', read)) ?? [];
  }

  async #permit<T>(need: Need, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      if (need === 'needed' || error.code !== 'consul-denied') throw error;
      this.#onHidden(error.message);
      return undefined;
    }
  }
}

const consistent = { consistency: 'consistent', timeoutMs } as const;

async function readKeys(reader: Reader, { name, subject, naming }: Subject): Promise<readonly KvEntry[]> {
  if (subject === 'cluster') {
    const orders = crashOrderKey(clusterCrashPrefix(naming, name), '');
    const keys = [reader.key(clusterKey(naming, name), 'needed'), reader.tree(orders, 'optional')];
    return (await Promise.all(keys)).flat();
  }
  const plain = plainKey(naming, name);
  const found = await Promise.all([
    reader.key(recordKey(naming, name), 'needed'),
    reader.key(plain, 'needed'),
    reader.tree(`${plain}/`, 'needed'),
    reader.key(desiredKey(naming, name), 'optional'),
    reader.key(provisionedKey(naming, name), 'optional'),
    reader.tree(`${steeringKey(naming, name)}/`, 'needed'),
    reader.key(maintenanceKey(naming, name), 'optional'),
    reader.key(crashOrderKey(crashPrefix(naming), name), 'optional'),
    reader.tree(crashEvidenceKey(crashPrefix(naming), { name, bridge: '' }), 'optional'),
  ]);
  return found.flat();
}

async function readNames(reader: Reader, { subject, naming }: Subject): Promise<readonly string[]> {
  const prefix = subject === 'master' ? recordPrefix(naming) : clusterPrefix(naming);
  const entries = await reader.tree(prefix, 'optional');
  return entries.flatMap(({ key }) => (isMarkerKey(key) ? [] : [nameInKey(key.slice(prefix.length))])).toSorted();
}

/** The nodes that the master can have, and the one of former versions, which had no environment in its name. */
async function readNodes(client: ConsulClient, { name, naming }: Subject): Promise<readonly RemovableNode[]> {
  const names = new Set([
    externalNode(naming, name),
    distinctNode(naming, name),
    externalNode({ environment: undefined }, name),
  ]);
  const nodes = await Promise.all([...names].map((node) => readIndexedNode(client, { node, timeoutMs })));
  return nodes.flatMap((node): readonly RemovableNode[] => {
    if (node === undefined) return [];
    const owner = node.id === '' && masterOfNode(naming, node.meta) === name ? 'ours' : 'other';
    const isOfOthers = node.node !== externalNode(naming, name) || isOfOtherEnvironment(naming, node.meta);
    return owner === 'other' && isOfOthers
      ? []
      : [{ node: node.node, modifyIndex: node.modifyIndex, owner, services: node.services }];
  });
}

async function readRegistered(reader: Reader, { name, subject, naming }: Subject): Promise<readonly ServiceInstance[]> {
  const { service } = subject === 'cluster' ? instanceKinds.cluster : instanceKinds.redis;
  return (await reader.service(service)).filter(
    ({ tags }) => tags.includes(nameTag(name)) && isOfEnvironment(tags, naming),
  );
}

function isOfEnvironment(tags: readonly string[], { environment }: Naming): boolean {
  return environment === undefined || tags.includes(environment);
}

/** The Sentinels of the config, those that Consul lists, and those that they know. */
async function findSentinels(
  reader: Reader,
  { config: { sentinel, environment }, name }: { readonly config: Config; readonly name: string },
): Promise<RemovalSnapshot['sentinels']> {
  if (sentinel === undefined) return [];
  const own = (await reader.service(instanceKinds.sentinel.service)).filter(({ tags }) =>
    isOfEnvironment(tags, { environment }),
  );
  const named = sentinel.service === undefined ? [] : await reader.service(sentinel.service);
  const listed = [...own, ...named].map(({ address: host, port }): Address => ({ host, port }));
  return askSentinels(name, { addresses: [...sentinel.addresses, ...listed], access: sentinel.access });
}

/** Without the password: redis-cli asks for it. */
function clientOptions({ username, password, tls }: AccessConfig): readonly string[] {
  return [
    ...(tls === undefined ? [] : ['--tls']),
    ...(username === undefined ? [] : ['--user', username]),
    ...(password === undefined ? [] : ['--askpass']),
  ];
}
