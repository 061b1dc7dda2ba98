import { formatAddress } from '../address.ts';
import { makeReason, type Reason } from '../health.ts';
import type { MasterRecord } from '../record.ts';
import { describeSecondMaster, type SecondMaster } from '../second-master.ts';
import type { Severity } from '../severity.ts';
import { redisCliWords } from '../shell-words.ts';

export interface ObservedSecondMaster extends SecondMaster {
  /** Since when it is in this state, as ISO 8601; null where that is not known. */
  readonly since: string | null;
}

interface JudgedSecondMasters {
  readonly name: string;
  readonly record: Pick<MasterRecord, 'master'>;
  readonly secondMasters: readonly ObservedSecondMaster[];
  /** Its master has just changed. */
  readonly settling: boolean;
  readonly nowMs: number;
}

/** How long the bridge may need to fence a server that it finds as a master. */
const fencingMs = 3_000;

/** Servers that take writes beside the master: the record does not name them, so those writes are lost. */
export function judgeSecondMasters(judged: JudgedSecondMasters): readonly Reason[] {
  const { name, record, secondMasters } = judged;
  return secondMasters.map((second) => {
    const { address, state } = second;
    const { master } = record;
    const demotion = redisCliWords(address, ['REPLICAOF', master.host, String(master.port)]).join(' ');
    return makeReason({
      code: 'second-master',
      level: levelOf(second, judged),
      subject: { kind: 'master', name, address: formatAddress(address) },
      text: `${describeSecondMaster(second, master)}.`,
      hint: state === 'open' || state === 'left' ? demotion : undefined,
    });
  });
}

function levelOf({ state, since }: ObservedSecondMaster, { settling, nowMs }: JudgedSecondMasters): Severity {
  const passing = settling ? 'well' : 'warning';
  switch (state) {
    case 'paused':
      return passing;
    case 'unlisted':
      return 'warning';
    case 'left':
      // Sentinel makes it a replica some ten seconds after a change of master.
      return settling ? 'well' : 'critical';
    case 'open':
      // The doctor does not know since when. In a failover the bridge usually fences the former master at that moment.
      if (since === null) return settling ? 'well' : 'critical';
      return nowMs - Date.parse(since) < fencingMs ? passing : 'critical';
  }
}
