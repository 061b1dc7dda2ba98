import type { CheckStatus } from './catalog.ts';

/** What a client of Sentinel gets as the master's state (its flags `s_down` and `o_down`). */
export type ServedCondition = 'up' | 's_down' | 'o_down';

interface MasterCheck {
  /** Kept in the notes of the check in Consul. */
  readonly code: string;
  readonly status: CheckStatus;
  readonly output: string;
  readonly condition: ServedCondition;
}

/**
 * Everything that the check of a master reports. While a failover can still succeed, or the master answers, the check is a
 * warning, because Consul's DNS leaves out critical instances, and resolvers cache an empty answer.
 */
export const masterChecks = {
  up: { code: 'up', status: 'passing', output: 'Sentinel: up', condition: 'up' },
  promoted: { code: 'promoted', status: 'passing', output: 'promoted by Sentinel', condition: 'up' },
  suspected: { code: 'suspected', status: 'warning', output: 'Sentinel: subjectively down', condition: 's_down' },
  down: { code: 'down', status: 'warning', output: 'Sentinel: objectively down', condition: 'o_down' },
  failingOver: { code: 'failing-over', status: 'warning', output: 'Sentinel: failing over', condition: 'o_down' },
  noCandidate: {
    code: 'no-candidate',
    status: 'critical',
    output: 'Sentinel: objectively down, and no replica can be promoted',
    condition: 'o_down',
  },
  givenUp: {
    code: 'given-up',
    status: 'critical',
    output: 'Sentinel: objectively down, and the failover failed',
    condition: 'o_down',
  },
  overdue: {
    code: 'overdue',
    status: 'critical',
    output: 'Sentinel: the failover takes longer than failover-timeout',
    condition: 'o_down',
  },
  answering: {
    code: 'answering',
    status: 'warning',
    output: 'Sentinel: the failover cannot succeed, but the master answers',
    condition: 'o_down',
  },
  answeringDoubted: {
    code: 'answering-doubted',
    status: 'warning',
    output: 'Sentinel: the failover cannot succeed, and a bridge does not reach the master',
    condition: 'o_down',
  },
  turnedReplica: {
    code: 'turned-replica',
    status: 'warning',
    output: 'answers ROLE as a replica: a failover may be under way',
    condition: 'o_down',
  },
  asReplica: { code: 'as-replica', status: 'critical', output: 'answers ROLE as a replica', condition: 'o_down' },
  unmonitored: { code: 'unmonitored', status: 'warning', output: 'no Sentinel monitors it', condition: 's_down' },
  unmonitoredDoubted: {
    code: 'unmonitored-doubted',
    status: 'warning',
    output: 'no Sentinel monitors it, and a bridge does not reach it',
    condition: 's_down',
  },
  unmonitoredDown: {
    code: 'unmonitored-down',
    status: 'critical',
    output: 'no Sentinel monitors it, and it does not answer',
    condition: 'o_down',
  },
  unreached: {
    code: 'unreached',
    status: 'warning',
    output: 'nobody reaches it, and no Sentinel has judged it yet',
    condition: 'up',
  },
  unreachable: {
    code: 'unreachable',
    status: 'critical',
    output: 'Sentinel decided for it, but it cannot be reached',
    condition: 'o_down',
  },
  unknown: { code: 'unknown', status: 'warning', output: 'no Sentinel has judged it yet', condition: 'up' },
} as const satisfies Readonly<Record<string, MasterCheck>>;

export type MasterCheckCode = (typeof masterChecks)[keyof typeof masterChecks]['code'];

const checksByCode: ReadonlyMap<string, (typeof masterChecks)[keyof typeof masterChecks]> = new Map(
  Object.values(masterChecks).map((check) => [check.code, check]),
);

export const masterCheckCodes = Object.values(masterChecks).map(({ code }) => code);

/** The code in the notes of a check; undefined where they have none, as of another version's bridge. */
export function readMasterCheckCode(notes: string | undefined): MasterCheckCode | undefined {
  return notes === undefined ? undefined : checksByCode.get(notes)?.code;
}

/** The condition that a check reports: by its code, and without one by its status. */
export function servedCondition(check: {
  readonly status: CheckStatus;
  readonly code?: MasterCheckCode | undefined;
}): ServedCondition {
  const known = check.code === undefined ? undefined : checksByCode.get(check.code);
  if (known !== undefined) return known.condition;
  if (check.status === 'passing') return 'up';
  return check.status === 'warning' ? 's_down' : 'o_down';
}
