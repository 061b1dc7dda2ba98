import type { InstanceKind } from '../../model/instance-kinds.ts';
import type { AnswerOf, ProbeAnswer, ProbeResult } from '../../model/probe-result.ts';
import { type Judging, judgeUnanswered, type Verdict } from '../plan/health.ts';
import { cluster } from './cluster.ts';
import { haproxy } from './haproxy.ts';
import type { InstanceProbe, KindBehaviour, ProbeTarget } from './kind.ts';
import { redis } from './redis.ts';
import { sentinel } from './sentinel.ts';
import { twemproxy } from './twemproxy.ts';

/** The behaviour of each kind. A kind that has a row in `instanceKinds` and none here does not compile. */
export const kindBehaviours: { readonly [Kind in InstanceKind]: KindBehaviour<AnswerOf<Kind>> } = {
  redis,
  sentinel,
  cluster,
  twemproxy,
  haproxy,
};

export function openProbe(target: ProbeTarget): InstanceProbe<ProbeAnswer> {
  return behaviourOf(target.spec.kind).open(target);
}

export function judge(kind: InstanceKind, given: { readonly result: ProbeResult; readonly judging: Judging }): Verdict {
  const { result, judging } = given;
  if (result.kind === 'unreachable' || result.kind === 'denied') return judgeUnanswered(result);
  return behaviourOf(kind).judge(result, judging);
}

export function behaviourOf(kind: InstanceKind): KindBehaviour<ProbeAnswer> {
  return kindBehaviours[kind];
}
