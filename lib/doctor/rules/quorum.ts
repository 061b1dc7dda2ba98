import { formatAddress } from '../../model/address.ts';
import type { ExaminedMaster } from '../examination.ts';
import { masterRule, type Rule } from '../rule.ts';

const count = 'Run three or five Sentinels, each on a machine of its own.';

/** Whether there are enough Sentinels, and their quorum fits. */
export const quorumRules: readonly Rule[] = [
  masterRule({
    name: 'sentinels-too-few',
    severity: 'critical',
    hint: count,
    find: (master) => {
      const { total } = countVotes(master);
      if (total === 0 || total >= 3) return undefined;
      return `it has ${total} Sentinel${total === 1 ? '' : 's'}: without one of them there is no majority`;
    },
  }),
  masterRule({
    name: 'sentinels-even',
    severity: 'warning',
    hint: count,
    find: (master) => {
      const { total } = countVotes(master);
      if (total < 3 || total % 2 === 1) return undefined;
      return `it has ${total} Sentinels: an even number survives no more failures than ${total - 1}, and can split into halves`;
    },
  }),
  masterRule({
    name: 'sentinels-stale',
    severity: 'warning',
    hint: 'If some are gone for good, run SENTINEL RESET {subject} at the others, one after the other, 30 seconds apart.',
    find: (master) => {
      const { total } = countVotes(master);
      const { opinions } = master;
      if (opinions.length === total && opinions.every(({ knownSentinels }) => knownSentinels === total))
        return undefined;
      const counts = opinions.map(
        ({ sentinel, knownSentinels }) => `${formatAddress(sentinel)} knows ${knownSentinels}`,
      );
      return `${opinions.length} of its Sentinels answer, but ${counts.join(', ')}`;
    },
  }),
  quorumRule({
    name: 'quorum-differs',
    severity: 'warning',
    find: ({ quorums }) =>
      quorums.length > 1 ? `its Sentinels have different quorums: ${quorums.join(', ')}` : undefined,
  }),
  quorumRule({
    name: 'quorum-unreachable',
    severity: 'critical',
    find: ({ total, highest }) =>
      highest > total ? `its quorum is ${highest} of ${total} Sentinels: it can never fail over` : undefined,
  }),
  quorumRule({
    name: 'quorum-above-majority',
    severity: 'warning',
    find: ({ total, majority, highest }) =>
      highest > majority && highest <= total
        ? `its quorum is ${highest}, but ${majority} of ${total} are a majority: it survives fewer failures than it could`
        : undefined,
  }),
  quorumRule({
    name: 'quorum-of-one',
    severity: 'warning',
    find: ({ total, majority, highest, quorums }) =>
      total >= 3 && quorums[0] === 1 && highest <= majority
        ? 'its quorum is 1: one Sentinel with a bad link is enough to begin a failover'
        : undefined,
  }),
];

interface Votes {
  readonly total: number;
  readonly majority: number;
  /** Each once, in ascending order. */
  readonly quorums: readonly number[];
  readonly highest: number;
}

/** All zero where no Sentinel answers. */
function countVotes({ opinions }: ExaminedMaster): Votes {
  const total = Math.max(0, ...opinions.map(({ knownSentinels }) => knownSentinels), opinions.length);
  const quorums = [...new Set(opinions.map(({ quorum }) => quorum))].toSorted((a, b) => a - b);
  return { total, majority: Math.floor(total / 2) + 1, quorums, highest: quorums.at(-1) ?? 0 };
}

function quorumRule({
  find,
  ...rule
}: Pick<Rule, 'name' | 'severity'> & { readonly find: (votes: Votes) => string | undefined }): Rule<'masters'> {
  return masterRule({
    ...rule,
    hint: 'SENTINEL SET {subject} quorum MAJORITY, at every Sentinel.',
    find: (master) => {
      const votes = countVotes(master);
      const text = find(votes);
      if (text === undefined) return undefined;
      return { text, hint: `SENTINEL SET {subject} quorum ${votes.majority}, at every Sentinel.` };
    },
  });
}
