import { formatAddress } from '../../model/address.ts';
import type { Examination, ExaminedMaster, ExaminedRedis, Finding, RedisSettings } from '../../model/examination.ts';

/** Whether each master could be followed by one of its replicas, and would then work as before. */
export function examineRedis({ masters }: Examination): readonly Finding[] {
  return masters.flatMap((master) => [
    ...master.instances.flatMap((instance) => examineInstance(instance)),
    ...examineReplicas(master),
    ...examinePasswords(master),
    ...examinePriorities(master),
    ...examineWriteGuard(master),
  ]);
}

function examineInstance(instance: ExaminedRedis): readonly Finding[] {
  const subject = formatAddress(instance.address);
  const findings: Finding[] = [];
  if (instance.state.kind === 'unreachable') {
    const says = `Redis, a ${instance.expected} by the Sentinels, cannot be asked from here: ${instance.state.why}`;
    const wayOut =
      'Is it up? Is its address one for this network (replica-announce-ip), is sentinel.redis right? One that is gone for good is forgotten by SENTINEL RESET.';
    return [{ rule: 'redis-unreachable', severity: 'critical', subject, says, wayOut }];
  }
  if (instance.role !== undefined && instance.role !== instance.expected) {
    const says = `it answers ROLE as ${instance.role}, and the Sentinels have it as ${instance.expected}`;
    const wayOut =
      'During a failover: wait. If it lasts, Sentinel cannot reach it, or somebody used REPLICAOF by hand.';
    findings.push({ rule: 'role-differs', severity: 'critical', subject, says, wayOut });
  }
  if (instance.expected === 'replica' && instance.link === 'down') {
    const master = instance.follows === undefined ? 'its master' : formatAddress(instance.follows);
    const says = `it has lost ${master}: it falls behind, and Sentinel will not promote it for long`;
    const wayOut =
      'During a failover: wait. Else its log tells why: masterauth, the network, a master that it cannot read.';
    findings.push({ rule: 'replica-not-linked', severity: 'critical', subject, says, wayOut });
  }
  if (instance.settings?.readOnly === false) {
    const says = 'replica-read-only is no: writes to it while it is a replica are lost without a word';
    const wayOut = 'CONFIG SET replica-read-only yes, and CONFIG REWRITE.';
    findings.push({ rule: 'replica-writable', severity: 'warning', subject, says, wayOut });
  }
  return findings;
}

function examineReplicas({ name: subject, instances }: ExaminedMaster): readonly Finding[] {
  if (instances.some(({ expected }) => expected === 'replica')) return [];
  const says = 'it has no replica: nobody can take its place';
  return [{ rule: 'no-replica', severity: 'critical', subject, says, wayOut: 'Start one with replicaof.' }];
}

/** After a failover each may be anybody's replica: what it brings must be what everybody else wants. */
function examinePasswords({ instances }: ExaminedMaster): readonly Finding[] {
  const known = withSettings(instances);
  return known.flatMap((instance): readonly Finding[] => {
    const wanting = known.filter((other) => other !== instance && other.settings.requires !== undefined);
    return [...examineOpen(instance, wanting), ...examineBrought(instance, wanting)];
  });
}

/** Redis refuses AUTH where it has no password, and a replica that is refused does not follow (replication.c). */
function examineOpen({ address, settings }: WithSettings, wanting: readonly WithSettings[]): readonly Finding[] {
  if (settings.requires !== undefined || wanting.length === 0) return [];
  const says = `it requires no password, and ${list(wanting)} do: anybody may write to it, and as a master it would refuse replicas that bring one`;
  const wayOut = 'CONFIG SET requirepass to what the others require, and CONFIG REWRITE.';
  return [{ rule: 'password-missing', severity: 'critical', subject: formatAddress(address), says, wayOut }];
}

function examineBrought({ address, settings }: WithSettings, wanting: readonly WithSettings[]): readonly Finding[] {
  const subject = formatAddress(address);
  const wayOut = 'CONFIG SET masterauth to what the others require, and CONFIG REWRITE.';
  if (settings.bringsUser) return [];
  if (settings.brings === undefined && wanting.length > 0) {
    const says = `masterauth is missing: it could not follow ${list(wanting)}, which want a password`;
    return [{ rule: 'masterauth-missing', severity: 'critical', subject, says, wayOut }];
  }
  const refusing = wanting.filter((other) => other.settings.requires !== settings.brings);
  if (refusing.length === 0) return [];
  const says = `masterauth is not the password that ${list(refusing)} want`;
  return [{ rule: 'masterauth-differs', severity: 'critical', subject, says, wayOut }];
}

function examinePriorities({ name: subject, instances }: ExaminedMaster): readonly Finding[] {
  const replicas = withSettings(instances).filter(({ expected }) => expected === 'replica');
  const eligible = replicas.filter(({ settings }) => settings.priority !== 0);
  if (replicas.length > 0 && eligible.length === 0) {
    const says = 'replica-priority is 0 at every replica: Sentinel will promote none of them';
    const wayOut = 'CONFIG SET replica-priority 100 at those that may become master.';
    return [{ rule: 'priority-none', severity: 'critical', subject, says, wayOut }];
  }
  const best = Math.min(...eligible.map(({ settings }) => settings.priority ?? 100));
  const equals = eligible.filter(({ settings }) => (settings.priority ?? 100) === best);
  return examineUnlike(subject, {
    equals,
    master: withSettings(instances).find(({ expected }) => expected === 'master'),
  });
}

/** Among equals Sentinel takes whoever has most data, then the lowest run id: chance. */
function examineUnlike(
  subject: string,
  { equals, master }: { readonly equals: readonly WithSettings[]; readonly master: WithSettings | undefined },
): readonly Finding[] {
  const wayOut = 'Make them alike, or give those that should not be chosen a higher replica-priority (0: never).';
  const findings: Finding[] = [];
  const limit = master?.settings.maxMemory ?? 0;
  const smaller = equals.filter(
    ({ settings: { maxMemory = 0 } }) => maxMemory > 0 && (limit === 0 || maxMemory < limit),
  );
  if (smaller.length > 0) {
    const says = `${list(smaller)} may become master, with less maxmemory than the master has now`;
    findings.push({ rule: 'priority-equal-unlike', severity: 'warning', subject, says, wayOut });
  }
  const versions = new Set(
    [...equals, ...(master === undefined ? [] : [master])].flatMap(({ version }) => majorOf(version)),
  );
  if (versions.size > 1) {
    const says = `those that may become master are of different versions (${[...versions].toSorted().join(', ')}): an older one cannot follow a newer`;
    findings.push({ rule: 'priority-equal-versions', severity: 'warning', subject, says, wayOut });
  }
  return findings;
}

/** After a failover the new master has one replica less, until the old master is back. */
function examineWriteGuard({ name: subject, instances }: ExaminedMaster): readonly Finding[] {
  const known = withSettings(instances);
  const replicas = instances.filter(({ expected }) => expected === 'replica').length;
  const strictest = Math.max(0, ...known.map(({ settings }) => settings.minReplicasToWrite ?? 0));
  if (strictest === 0 || strictest < replicas) return [];
  const says =
    strictest > replicas
      ? `min-replicas-to-write is ${strictest} with ${replicas} replicas: writes are refused`
      : `min-replicas-to-write is ${strictest} with ${replicas} replicas: after a failover writes are refused until the old master is back`;
  const wayOut = `Set it below the number of replicas (${Math.max(0, replicas - 1)} or less), or add a replica.`;
  const severity = strictest > replicas ? 'critical' : 'warning';
  return [{ rule: 'min-replicas-too-many', severity, subject, says, wayOut }];
}

type WithSettings = ExaminedRedis & { readonly settings: RedisSettings };

function withSettings(instances: readonly ExaminedRedis[]): readonly WithSettings[] {
  return instances.filter((instance): instance is WithSettings => instance.settings !== undefined);
}

/** `7.0` of `7.0.15`: what decides about the form of data. */
function majorOf(version: string | undefined): readonly string[] {
  const match = /(\d+\.\d+)/.exec(version ?? '');
  return match?.[1] === undefined ? [] : [match[1]];
}

function list(instances: readonly ExaminedRedis[]): string {
  return instances.map(({ address }) => formatAddress(address)).join(', ');
}
