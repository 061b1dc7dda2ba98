import type { MasterState, MastersView, OutcomeState } from '../../http/views.ts';
import { sameAddress } from '../../model/address.ts';
import type { Reason } from '../../model/health.ts';
import { judgeMaster as judgeObserved } from '../../model/judgement/master.ts';
import { judgeUnreachable } from '../../model/judgement/votes.ts';
import { judgeCrash } from './crash.ts';
import { describeStop } from './outcome.ts';

interface JudgedMaster {
  readonly master: MasterState;
  /** Of the bridge's last run about it. */
  readonly lastOutcome: OutcomeState | undefined;
  readonly nowMs: number;
}

/** Whether one master is well, and why not, by what the daemon has in memory. */
export function judgeMaster({ master, lastOutcome, nowMs }: JudgedMaster): readonly Reason[] {
  const replicas = master.record?.replicas.map((address) => ({
    address,
    lag: master.replicas.find((one) => sameAddress(one.address, address))?.lag ?? null,
  }));
  const observed = judgeObserved({ master: { ...master, replicas }, stop: describeStop(lastOutcome), nowMs });
  const { name, crash } = master;
  return crash === null ? observed : [judgeCrash({ kind: 'master', name }, crash), ...observed];
}

/** Sentinels that do not answer, where no master is known that lists them. */
export function judgeUnlisted(masters: Pick<MastersView, 'list' | 'sentinels'>): readonly Reason[] {
  if (masters.list().length > 0) return [];
  return masters
    .sentinels()
    .flatMap(({ up, ...sentinel }) => (up ? [] : [judgeUnreachable({ kind: 'part', name: 'bridge' }, sentinel)]));
}
