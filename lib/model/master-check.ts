import type { CheckStatus } from './catalog.ts';

/** What a client of Sentinel gets as the master's state (its flags `s_down` and `o_down`). */
export type ServedCondition = 'up' | 's_down' | 'o_down';

interface MasterCheck {
  readonly status: CheckStatus;
  readonly output: string;
  readonly condition: ServedCondition;
}

/**
 * Everything that the check of a master reports. While a failover can still succeed the check is a warning, because
 * Consul's DNS leaves out critical instances, and resolvers cache an empty answer.
 */
export const masterChecks = {
  up: { status: 'passing', output: 'Sentinel: up', condition: 'up' },
  promoted: { status: 'passing', output: 'promoted by Sentinel', condition: 'up' },
  suspected: { status: 'warning', output: 'Sentinel: subjectively down', condition: 's_down' },
  down: { status: 'warning', output: 'Sentinel: objectively down', condition: 'o_down' },
  failingOver: { status: 'warning', output: 'Sentinel: failing over', condition: 'o_down' },
  noCandidate: {
    status: 'critical',
    output: 'Sentinel: objectively down, and no replica can be promoted',
    condition: 'o_down',
  },
  givenUp: { status: 'critical', output: 'Sentinel: objectively down, and the failover failed', condition: 'o_down' },
  overdue: {
    status: 'critical',
    output: 'Sentinel: the failover takes longer than failover-timeout',
    condition: 'o_down',
  },
  turnedReplica: {
    status: 'warning',
    output: 'answers ROLE as a replica: a failover may be under way',
    condition: 'o_down',
  },
  asReplica: { status: 'critical', output: 'answers ROLE as a replica', condition: 'o_down' },
  unmonitored: { status: 'warning', output: 'no Sentinel monitors it', condition: 's_down' },
  unmonitoredDown: {
    status: 'critical',
    output: 'no Sentinel monitors it, and it does not answer',
    condition: 'o_down',
  },
  unreached: { status: 'warning', output: 'nobody reaches it, and no Sentinel has judged it yet', condition: 'up' },
  unreachable: {
    status: 'critical',
    output: 'Sentinel decided for it, but it cannot be reached',
    condition: 'o_down',
  },
  unknown: { status: 'critical', output: 'no Sentinel can be asked', condition: 'o_down' },
} as const satisfies Readonly<Record<string, MasterCheck>>;

/** The condition that a check reports. By its status where the output is unknown, as of another version's bridge. */
export function servedCondition(check: { readonly status: CheckStatus; readonly output: string }): ServedCondition {
  const known = Object.values(masterChecks).find(({ output }) => output === check.output);
  if (known !== undefined) return known.condition;
  if (check.status === 'passing') return 'up';
  return check.status === 'warning' ? 's_down' : 'o_down';
}
