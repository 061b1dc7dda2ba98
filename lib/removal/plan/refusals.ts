import { type Address, formatAddress } from '../../model/address.ts';
import { steeringKey } from '../../model/naming.ts';
import { consulCommand, redisCliWords, shellWord } from '../../model/shell-words.ts';
import {
  type AskedSentinel,
  desiredKey,
  type Refusal,
  type RemovalPermissions,
  type RemovalSnapshot,
} from './snapshot.ts';

export function refuseMaster(snapshot: RemovalSnapshot, permissions: RemovalPermissions): readonly Refusal[] {
  const { name, sentinels } = snapshot;
  if (sentinels.length === 0) {
    const text = `this config names no Sentinel, so nobody can say whether one still monitors ${name}: use the config of a node with a bridge`;
    return [{ text, commands: [] }];
  }
  const monitoring = sentinels.filter((sentinel) => sentinel.state === 'monitors');
  const unreadable = sentinels.filter((sentinel) => sentinel.state === 'unreadable');
  const unreachable = sentinels.filter((sentinel) => sentinel.state === 'unreachable');
  const silent = permissions.unreachableSentinels === 'gone' ? [] : unreachable;
  return [
    ...(monitoring.length === 0 ? [] : [refuseMonitored(snapshot, monitoring)]),
    ...unreadable.map(({ address, why }) => ({
      text: `the Sentinel ${formatAddress(address)} answers, but this config cannot read whether it monitors ${name} (${why}): set the user, the password and TLS of \`sentinel\` to what it accepts. If that is no Sentinel any more, remove its address from this config, from Consul, and with SENTINEL RESET from the other Sentinels`,
      commands: [],
    })),
    ...silent.map(({ address, why }) => ({
      text: `cannot ask the Sentinel ${formatAddress(address)} whether it monitors ${name} (${why}): start it, or add --ignore-unreachable if it is gone for good`,
      commands: [],
    })),
    ...refuseLocked(snapshot),
  ];
}

function refuseMonitored(
  { naming, name, keys, sentinelOptions, scope }: RemovalSnapshot,
  monitoring: readonly Extract<AskedSentinel, { state: 'monitors' }>[],
): Refusal {
  const who = monitoring.map(({ address, master }) => `${formatAddress(address)} (master ${describe(master)})`);
  const desired = keys.find(({ key }) => key === desiredKey(naming, name));
  const isDesired = desired === undefined ? '' : `, and ${desired.key} has a bridge monitor it again`;
  const removals = monitoring.map(({ address }) =>
    [...redisCliWords(address, sentinelOptions), 'sentinel', 'remove', shellWord(name)].join(' '),
  );
  return {
    text: `${monitoring.length === 1 ? 'a Sentinel still monitors' : `${monitoring.length} Sentinels still monitor`} ${name}: ${who.join(', ')}${isDesired}`,
    commands: [
      ...(desired === undefined ? [] : [consulCommand('kv delete', { scope, operands: [desired.key] })]),
      ...removals,
    ],
  };
}

function describe(master: Address | undefined): string {
  return master === undefined ? 'without a usable address' : formatAddress(master);
}

/** A bridge that fails the master over holds a lock whose key ends with the bridge's session. */
export function refuseLocked({ naming, name, keys }: RemovalSnapshot): readonly Refusal[] {
  const held = keys.filter(
    ({ key, session }) => session !== undefined && key.startsWith(`${steeringKey(naming, name)}/`),
  );
  return held.map(({ key, value }) => ({
    text: `a failover of ${name} is under way: ${holderIn(value) ?? 'a bridge'} holds ${key}; wait until it has ended`,
    commands: [],
  }));
}

export function refuseCluster({ name, mentions }: RemovalSnapshot): readonly Refusal[] {
  const followed = mentions.filter((mention) => mention.startsWith('cluster['));
  return followed.map((mention) => ({
    text: `${mention} of this node's config follows ${name}: remove it there, and on every other node that follows it`,
    commands: ['systemctl reload switchmaster'],
  }));
}

function holderIn(value: string): string | undefined {
  return /"holder":"([^"]+)"/.exec(value)?.[1];
}
