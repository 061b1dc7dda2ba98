import type { ExaminedMaster } from '../examination.ts';
import { type Fault, masterRule, type Rule } from '../rule.ts';
import { list, type WithSettings, withSettings } from './settings.ts';

const makeAlike = 'Make them alike, or give those that Sentinel must not choose a higher replica-priority (0: never).';

/** Whether Sentinel can promote a replica, which one, and whether writes continue afterwards. */
export const promotionRules: readonly Rule[] = [
  masterRule({
    name: 'priority-none',
    severity: 'critical',
    hint: 'CONFIG SET replica-priority 100 at the replicas that may become master.',
    find: ({ instances }) => {
      const replicas = withSettings(instances).filter(({ expected }) => expected === 'replica');
      return replicas.length > 0 && replicas.every(({ settings }) => settings.priority === 0)
        ? 'replica-priority is 0 at every replica: Sentinel will promote none of them'
        : undefined;
    },
  }),
  masterRule({
    name: 'priority-equal-unlike',
    severity: 'warning',
    hint: makeAlike,
    find: (examined) => {
      const { candidates, master } = candidatesOf(examined);
      const limit = master?.settings.maxMemory ?? 0;
      const smaller = candidates.filter(
        ({ settings: { maxMemory = 0 } }) => maxMemory > 0 && (limit === 0 || maxMemory < limit),
      );
      return smaller.length > 0
        ? `${list(smaller)} may become master, with less maxmemory than the master has now`
        : undefined;
    },
  }),
  masterRule({
    name: 'priority-equal-versions',
    severity: 'warning',
    hint: makeAlike,
    find: (examined) => {
      const { candidates, master } = candidatesOf(examined);
      const all = master === undefined ? candidates : [...candidates, master];
      const versions = new Set(all.flatMap(({ version }) => majorOf(version)));
      return versions.size > 1
        ? `the instances that may become master have different versions (${[...versions].toSorted().join(', ')}): an older one cannot replicate from a newer one, nor every Valkey from every Redis`
        : undefined;
    },
  }),
  masterRule({
    name: 'min-replicas-too-many',
    severity: 'warning',
    hint: 'Set min-replicas-to-write below the number of replicas, or add a replica.',
    find: findStrictGuard,
  }),
];

/** Among replicas with the best priority Sentinel takes the one with most data, then the lowest run id: by chance. */
function candidatesOf({ instances }: ExaminedMaster): {
  readonly candidates: readonly WithSettings[];
  readonly master: WithSettings | undefined;
} {
  const known = withSettings(instances);
  const eligible = known.filter(({ expected, settings }) => expected === 'replica' && settings.priority !== 0);
  const best = Math.min(...eligible.map(({ settings }) => settings.priority ?? 100));
  return {
    candidates: eligible.filter(({ settings }) => (settings.priority ?? 100) === best),
    master: known.find(({ expected }) => expected === 'master'),
  };
}

/** After a failover the new master has one replica less, until the old master is back. */
function findStrictGuard({ instances }: ExaminedMaster): Omit<Fault, 'subject'> | undefined {
  const replicas = instances.filter(({ expected }) => expected === 'replica').length;
  const strictest = Math.max(0, ...withSettings(instances).map(({ settings }) => settings.minReplicasToWrite ?? 0));
  if (strictest === 0 || strictest < replicas) return undefined;
  const hint = `Set min-replicas-to-write below the number of replicas (${Math.max(0, replicas - 1)} or less), or add a replica.`;
  const found = `min-replicas-to-write is ${strictest} with ${replicas} replicas`;
  return strictest > replicas
    ? { text: `${found}: the master refuses writes`, hint, severity: 'critical' }
    : { text: `${found}: after a failover the master refuses writes until the old master is back`, hint };
}

/** `7.0` of `7.0.15`, `valkey 8.0` of `valkey 8.0.1`: the versions that share a replication format. */
function majorOf(version: string | undefined): readonly string[] {
  const match = /((?:valkey )?\d+\.\d+)/.exec(version ?? '');
  return match?.[1] === undefined ? [] : [match[1]];
}
