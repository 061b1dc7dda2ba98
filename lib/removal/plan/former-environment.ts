import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { describeEnvironment, recordKey } from '../../model/naming.ts';
import { type MasterRecord, parseRecord } from '../../model/record.ts';
import { shellWord } from '../../model/shell-words.ts';
import { refuseLocked } from './refusals.ts';
import { desiredKey, type Refusal, type RemovalSnapshot, type Successor } from './snapshot.ts';

/*
 * The removal of a master from the environment that it had before. The Sentinels still monitor the master, and so the
 * environment of the config must have it: a record that is not older and names one of the same servers.
 */

export function refuseFormer(snapshot: RemovalSnapshot, successor: Successor): readonly Refusal[] {
  return [...refuseSuccessor(snapshot, successor), ...refuseDesired(snapshot, successor), ...refuseLocked(snapshot)];
}

function refuseSuccessor(
  { naming, name, keys }: RemovalSnapshot,
  { naming: next, record }: Successor,
): readonly Refusal[] {
  const where = describeEnvironment(next);
  if (record === undefined) {
    const text = `${name} has no record ${where}, that of this config (${recordKey(next, name)}): run a bridge with this config first`;
    return [{ text, commands: ['switchmaster status'] }];
  }
  const entry = keys.find(({ key }) => key === recordKey(naming, name));
  const former = entry === undefined ? undefined : parseRecord(entry.value);
  if (former === undefined) return [];
  const both = `${describeEnvironment(naming)} (${serversOf(former).map(formatAddress).join(', ')}) and ${where} (${serversOf(record).map(formatAddress).join(', ')})`;
  if (!serversOf(former).some((one) => serversOf(record).some((other) => sameAddress(one, other)))) {
    const text = `${name} has no server in common ${both}, so these are two masters: use the config of a bridge of the environment from which you remove it`;
    return [{ text, commands: [] }];
  }
  if (former.epoch <= record.epoch) return [];
  const text = `the record ${describeEnvironment(naming)} is newer (epoch ${former.epoch}, ${where} ${record.epoch}): a daemon there still follows ${name}`;
  return [{ text, commands: [] }];
}

function serversOf({ master, replicas, previous }: MasterRecord): readonly Address[] {
  return [master, ...replicas, ...(previous === null ? [] : [previous])];
}

/** What is desired moves along, or the Sentinels lose it where somebody removes the master from them. */
function refuseDesired(
  { naming, name, keys }: RemovalSnapshot,
  { naming: next, desired }: Successor,
): readonly Refusal[] {
  const [from, to] = [desiredKey(naming, name), desiredKey(next, name)];
  if (desired === 'present' || !keys.some(({ key }) => key === from)) return [];
  const command = `consul kv get ${shellWord(from)} | consul kv put ${shellWord(to)} -`;
  return [{ text: `${from} exists, and ${to} does not: copy it first`, commands: [command] }];
}
