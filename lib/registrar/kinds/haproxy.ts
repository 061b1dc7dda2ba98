import { probeHaproxy } from '../../client/proxy.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeProxy } from '../plan/health.ts';
import { type KindBehaviour, restingProfileMs } from './kind.ts';

export const haproxy: KindBehaviour<AnswerOf<'haproxy'>> = {
  open: ({ spec: { address, stats, checks } }) => ({
    probe: () => probeHaproxy({ address, stats }, { timeoutMs: checks.timeoutMs }),
    profile: async () => ({ announced: undefined, slots: undefined }),
    close: () => {},
  }),
  judge: judgeProxy,
  profileMs: () => restingProfileMs,
};
