import { formatAddress } from '../../model/address.ts';
import type { ExaminedRedis } from '../examination.ts';
import { instanceRule, masterRule, type Rule } from '../rule.ts';

/** Whether each Redis answers, and is what the Sentinels expect. */
export const redisRules: readonly Rule[] = [
  instanceRule({
    name: 'redis-unreachable',
    severity: 'critical',
    hint: 'Check that it runs, that its address is valid in this network (replica-announce-ip), and that sentinel.redis is right. If it is gone for good, run SENTINEL RESET.',
    find: ({ state, expected }) =>
      state.kind === 'unreachable'
        ? `Redis, a ${expected} according to the Sentinels, does not answer here: ${state.why}`
        : undefined,
  }),
  instanceRule({
    name: 'role-differs',
    severity: 'critical',
    hint: 'During a failover, wait. If it lasts, Sentinel cannot reach it, or somebody ran REPLICAOF by hand.',
    find: ({ role, expected }) =>
      role !== undefined && role !== expected
        ? `its role is ${role}, but the Sentinels expect a ${expected}`
        : undefined,
  }),
  instanceRule({
    name: 'replica-not-linked',
    severity: 'critical',
    hint: 'During a failover, wait. Otherwise read its log: masterauth, the network, or a master that it cannot read.',
    find: (instance) =>
      instance.expected === 'replica' && instance.link === 'down' ? describeLostLink(instance) : undefined,
  }),
  instanceRule({
    name: 'replica-writable',
    severity: 'warning',
    hint: 'CONFIG SET replica-read-only yes, and CONFIG REWRITE.',
    find: ({ settings }) =>
      settings?.readOnly === false
        ? 'replica-read-only is no: writes to it while it is a replica are lost without an error'
        : undefined,
  }),
  masterRule({
    name: 'no-replica',
    severity: 'critical',
    hint: 'Start one with replicaof.',
    find: ({ instances }) =>
      instances.some(({ expected }) => expected === 'replica')
        ? undefined
        : 'it has no replica: no instance can take its place',
  }),
];

function describeLostLink({ follows }: ExaminedRedis): string {
  const master = follows === undefined ? 'its master' : formatAddress(follows);
  return `it has lost ${master}: it falls behind, and soon Sentinel will not promote it`;
}
