import { formatAddress } from '../../model/address.ts';
import type { Examination, ExaminedMaster, Finding, Seen } from '../../model/examination.ts';

/** Whether Sentinels are there, are enough, and agree. */
export function examineSentinels({ sentinels, masters }: Examination): readonly Finding[] {
  const alone = sentinels.flatMap((sentinel): Finding[] => {
    const subject = formatAddress(sentinel.address);
    if (sentinel.state.kind === 'unreachable') {
      const says = `the Sentinel does not answer: ${sentinel.state.why}`;
      const wayOut = 'Start it, or take it out of sentinel.addresses and SENTINEL RESET the masters at the others.';
      return [{ rule: 'sentinel-unreachable', severity: 'critical', subject, says, wayOut }];
    }
    if (!sentinel.tilt) return [];
    const says = 'the Sentinel is in TILT mode: it does nothing until its clock was right for 30 seconds';
    const wayOut = 'Look for a clock that jumps, or a machine that stands still (swap, a paused VM).';
    return [{ rule: 'sentinel-tilt', severity: 'critical', subject, says, wayOut }];
  });
  const reached = new Set(
    sentinels.filter(({ state }) => state.kind === 'reached').map(({ address }) => formatAddress(address)),
  );
  return [
    ...alone,
    ...masters.flatMap((master) => [
      ...examineVotes(master),
      ...examineSight(master, reached),
      ...examineTimes(master),
    ]),
  ];
}

/** Whoever answers here and not there: a firewall, bind, a password, an announced address. */
function examineSight(
  { name, opinions, instances }: ExaminedMaster,
  sentinels: ReadonlySet<string>,
): readonly Finding[] {
  const answering = new Set(
    instances.filter(({ state }) => state.kind === 'reached').map(({ address }) => formatAddress(address)),
  );
  const isDown = ({ flags }: Pick<Seen, 'flags'>): boolean => flags.includes('s_down');
  return opinions.flatMap(({ sentinel, master, flags, replicas, peers }): Finding[] => {
    const redis = [{ address: master, flags }, ...replicas].filter(isDown).map(({ address }) => formatAddress(address));
    const others = peers.filter(isDown).map(({ address }) => formatAddress(address));
    const blind = [...redis.filter((one) => answering.has(one)), ...others.filter((one) => sentinels.has(one))];
    if (blind.length === 0) return [];
    const subject = formatAddress(sentinel);
    const says = `it sees ${blind.join(', ')} of ${name} down, which answer here`;
    const wayOut = `During a failover: wait. Else look at what is between them: a firewall, bind, sentinel auth-pass ${name}, sentinel-pass.`;
    return [{ rule: 'sentinel-cannot-reach', severity: 'critical', subject, says, wayOut }];
  });
}

/** Sentinel pings once a second, asks a replica for its role once a second during a failover (sentinel.c). */
const shortestDownAfterMs = 500;
const longestDownAfterMs = 60_000;
const shortestFailoverMs = 3_000;

function examineTimes({ name: subject, opinions }: ExaminedMaster): readonly Finding[] {
  const [opinion] = opinions;
  if (opinion === undefined) return [];
  const { downAfterMs, failoverTimeoutMs } = opinion;
  const told = (says: string, setting: string): Finding => {
    const wayOut = `SENTINEL SET ${subject} ${setting}, at every Sentinel.`;
    return { rule: 'timeouts-unfit', severity: 'warning', subject, says, wayOut };
  };
  const findings: Finding[] = [];
  if (downAfterMs < shortestDownAfterMs) {
    const says = `it is called down after ${downAfterMs} ms of silence: a slow command or a fork is enough`;
    findings.push(told(says, 'down-after-milliseconds 5000'));
  }
  if (downAfterMs > longestDownAfterMs) {
    const says = `it is called down only after ${downAfterMs / 1_000} s of silence: writes fail for so long`;
    findings.push(told(says, 'down-after-milliseconds 5000'));
  }
  if (failoverTimeoutMs < shortestFailoverMs) {
    const says = `a failover is given up after ${failoverTimeoutMs} ms: Sentinel may not even have seen the promotion by then`;
    findings.push(told(says, 'failover-timeout 60000'));
  }
  return findings;
}

function examineVotes(master: ExaminedMaster): readonly Finding[] {
  const { name: subject, opinions } = master;
  if (opinions.length === 0) return [];
  const count = Math.max(...opinions.map(({ knownSentinels }) => knownSentinels), opinions.length);
  return [...examineCount(subject, count), ...examineQuorums(master, count), ...examineAgreement(master, count)];
}

function examineCount(subject: string, count: number): readonly Finding[] {
  const wayOut = 'Run three, or five, each on a machine of its own.';
  if (count < 3) {
    const says = `it has ${count} Sentinel${count === 1 ? '' : 's'}: when one is gone, no majority can be found`;
    return [{ rule: 'sentinels-too-few', severity: 'critical', subject, says, wayOut }];
  }
  if (count % 2 === 1) return [];
  const says = `it has ${count} Sentinels: an even number survives no more failures than ${count - 1}, and can split in halves`;
  return [{ rule: 'sentinels-even', severity: 'warning', subject, says, wayOut }];
}

function examineQuorums({ name: subject, opinions }: ExaminedMaster, count: number): readonly Finding[] {
  const majority = Math.floor(count / 2) + 1;
  const quorums = [...new Set(opinions.map(({ quorum }) => quorum))].toSorted((a, b) => a - b);
  const highest = quorums.at(-1) ?? 0;
  const wayOut = `SENTINEL SET ${subject} quorum ${majority}, at every Sentinel.`;
  const findings: Finding[] = [];
  if (quorums.length > 1) {
    const says = `its Sentinels want different quorums: ${quorums.join(', ')}`;
    findings.push({ rule: 'quorum-differs', severity: 'warning', subject, says, wayOut });
  }
  if (highest > count) {
    const says = `its quorum is ${highest} of ${count} Sentinels: it can never be failed over`;
    findings.push({ rule: 'quorum-unreachable', severity: 'critical', subject, says, wayOut });
  } else if (highest > majority) {
    const says = `its quorum is ${highest} where ${majority} of ${count} are a majority: it survives fewer failures than it could`;
    findings.push({ rule: 'quorum-above-majority', severity: 'warning', subject, says, wayOut });
  } else if (count >= 3 && quorums[0] === 1) {
    const says = 'its quorum is 1: one Sentinel with a bad link is enough to begin a failover';
    findings.push({ rule: 'quorum-of-one', severity: 'warning', subject, says, wayOut });
  }
  return findings;
}

function examineAgreement({ name: subject, opinions }: ExaminedMaster, count: number): readonly Finding[] {
  const findings: Finding[] = [];
  const named = new Set(opinions.map(({ master }) => formatAddress(master)));
  if (named.size > 1) {
    const says = `its Sentinels name different masters: ${[...named].toSorted().join(', ')}`;
    const wayOut = 'Wait a minute. If it lasts, SENTINEL REMOVE and MONITOR it where it is wrong.';
    findings.push({ rule: 'sentinels-disagree', severity: 'critical', subject, says, wayOut });
  }
  if (opinions.some(({ knownSentinels }) => knownSentinels !== count) || count > opinions.length) {
    const counts = opinions.map(({ sentinel, knownSentinels }) => `${formatAddress(sentinel)} knows ${knownSentinels}`);
    const says = `${opinions.length} of its Sentinels answer, but ${counts.join(', ')}`;
    const wayOut = `If some are gone for good, SENTINEL RESET ${subject} at the others, one after the other, 30 seconds apart.`;
    findings.push({ rule: 'sentinels-stale', severity: 'warning', subject, says, wayOut });
  }
  for (const [setting, read] of [
    ['down-after-milliseconds', ({ downAfterMs }) => downAfterMs],
    ['failover-timeout', ({ failoverTimeoutMs }) => failoverTimeoutMs],
  ] as readonly (readonly [string, (opinion: (typeof opinions)[number]) => number])[]) {
    const values = [...new Set(opinions.map(read))];
    if (values.length < 2) continue;
    const says = `its Sentinels have different ${setting}: ${values.join(', ')}`;
    const wayOut = `SENTINEL SET ${subject} ${setting} <ms>, at every Sentinel.`;
    findings.push({ rule: 'sentinel-settings-differ', severity: 'warning', subject, says, wayOut });
  }
  return findings;
}
