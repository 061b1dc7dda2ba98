import { probeHaproxy } from '../../client/proxy.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeProxy } from '../plan/health.ts';
import { type KindBehaviour, restingProfileMs } from './kind.ts';
import { openProxy } from './proxy.ts';

export const haproxy: KindBehaviour<AnswerOf<'haproxy'>> = {
  open: ({ spec: { address, stats, checks } }) =>
    openProxy(() => probeHaproxy({ address, stats }, { timeoutMs: checks.timeoutMs })),
  judge: judgeProxy,
  profileMs: () => restingProfileMs,
};
