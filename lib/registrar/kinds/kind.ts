import type { RedisAccess } from '../../client/redis-connection.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import type { InstanceProfile, ProbeAnswer, Unanswered } from '../../model/probe-result.ts';
import type { Judging, Verdict } from '../plan/health.ts';

/** How the registrar probes and judges one kind of instance: the counterpart to its row in `instanceKinds`. */
export interface KindBehaviour<Answer extends ProbeAnswer> {
  /** Opens whatever a probe needs. */
  open(target: ProbeTarget): InstanceProbe<Answer>;
  /** The health verdict for what a probe found. Pure. */
  judge(answer: Answer, judging: Judging): Verdict;
  /** How long a profile stays valid. */
  profileMs(spec: InstanceSpec): number;
}

export interface ProbeTarget {
  readonly spec: InstanceSpec;
  readonly access: RedisAccess;
  /** The connection that is kept open was established or lost. */
  readonly onLinkState: (state: 'up' | 'down') => void;
}

export interface InstanceProbe<Answer> {
  /** Never rejects. */
  probe(): Promise<Unanswered | Answer>;
  /** Rejects with a SwitchmasterError where the instance does not answer. */
  profile(): Promise<InstanceProfile>;
  close(): void;
}

/** How long a profile stays valid if nothing but a restart changes it. */
export const restingProfileMs = 10_000;
