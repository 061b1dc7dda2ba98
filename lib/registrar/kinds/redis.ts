import { probeRedis, readRedisProfile } from '../../client/instance-probe.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeRedis } from '../plan/health.ts';
import { type KindBehaviour, restingProfileMs } from './kind.ts';
import { openServer } from './server.ts';

export const redis: KindBehaviour<AnswerOf<'redis'>> = {
  open: (target) =>
    openServer({ ...target, address: target.spec.address }, { probe: probeRedis, profile: readRedisProfile }),
  judge: judgeRedis,
  profileMs: () => restingProfileMs,
};
