import { probeSentinel, readSentinelProfile } from '../../client/instance-probe.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeSentinel } from '../plan/health.ts';
import { type KindBehaviour, restingProfileMs } from './kind.ts';
import { openServer } from './server.ts';

export const sentinel: KindBehaviour<AnswerOf<'sentinel'>> = {
  open: (target) =>
    openServer({ ...target, address: target.spec.address }, { probe: probeSentinel, profile: readSentinelProfile }),
  judge: judgeSentinel,
  profileMs: () => restingProfileMs,
};
