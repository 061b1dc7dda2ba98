import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { type ClusterRecord, parseClusterRecord } from '../../model/cluster.ts';
import { clusterKey, describeEnvironment, type Naming, recordKey } from '../../model/naming.ts';
import { type MasterRecord, parseRecord } from '../../model/record.ts';
import { consulCommand } from '../../model/shell-words.ts';
import { refuseLocked } from './refusals.ts';
import { desiredKey, type Refusal, type RemovalSnapshot, type Successor } from './snapshot.ts';

/*
 * The removal of a master or a cluster from the environment that it had before. The Sentinels still monitor the master, and
 * so the environment of the config must have it: a record that is not older and names one of the same servers.
 */

/** The record of a master or a cluster in an environment, as its key and the text of the key. */
export function recordFormat({ subject, name }: Pick<RemovalSnapshot, 'subject' | 'name'>) {
  return subject === 'cluster'
    ? { keyOf: (naming: Naming) => clusterKey(naming, name), parse: parseClusterRecord }
    : { keyOf: (naming: Naming) => recordKey(naming, name), parse: parseRecord };
}

export function refuseFormer(snapshot: RemovalSnapshot, successor: Successor): readonly Refusal[] {
  return [...refuseSuccessor(snapshot, successor), ...refuseDesired(snapshot, successor), ...refuseLocked(snapshot)];
}

function refuseSuccessor(snapshot: RemovalSnapshot, { naming: next, record }: Successor): readonly Refusal[] {
  const { naming, name, keys, subject } = snapshot;
  const { keyOf, parse } = recordFormat(snapshot);
  const where = describeEnvironment(next);
  if (record === undefined) {
    const text = `${name} has no record ${where}, that of this config (${keyOf(next)}): run a daemon with this config that follows it first`;
    return [{ text, commands: ['switchmaster status'] }];
  }
  const entry = keys.find(({ key }) => key === keyOf(naming));
  const former = entry === undefined ? undefined : parse(entry.value);
  if (former === undefined) return [];
  const both = `${describeEnvironment(naming)} (${serversOf(former).map(formatAddress).join(', ')}) and ${where} (${serversOf(record).map(formatAddress).join(', ')})`;
  if (!serversOf(former).some((one) => serversOf(record).some((other) => sameAddress(one, other)))) {
    const text = `${name} has no server in common ${both}, so these are two ${subject}s: use the config of a daemon of the environment from which you remove it`;
    return [{ text, commands: [] }];
  }
  // Sentinels that are rebuilt begin with epoch 0 again, and each environment counts generations of its own.
  if (former.epoch <= record.epoch || Date.parse(record.changedAt) > Date.parse(former.changedAt)) return [];
  const text = `the record ${describeEnvironment(naming)} is newer (epoch ${former.epoch} of ${former.changedAt}, ${where} ${record.epoch} of ${record.changedAt}): a daemon there may still follow ${name}`;
  return [{ text, commands: ['switchmaster status'] }];
}

function serversOf(record: MasterRecord | ClusterRecord): readonly Address[] {
  if ('shards' in record)
    return record.shards.flatMap(({ master, replicas }) => [...(master === null ? [] : [master]), ...replicas]);
  const { master, replicas, previous } = record;
  return [master, ...replicas, ...(previous === null ? [] : [previous])];
}

/** What is desired moves along, or the Sentinels lose it where somebody removes the master from them. */
function refuseDesired(
  { naming, name, keys, scope }: RemovalSnapshot,
  { naming: next, desired }: Successor,
): readonly Refusal[] {
  const [from, to] = [desiredKey(naming, name), desiredKey(next, name)];
  if (desired === 'present' || !keys.some(({ key }) => key === from)) return [];
  const [get, put] = [
    consulCommand('kv get', { scope, operands: [from] }),
    consulCommand('kv put', { scope, operands: [to, '-'] }),
  ];
  return [{ text: `${from} exists, and ${to} does not: copy it first`, commands: [`${get} | ${put}`] }];
}
