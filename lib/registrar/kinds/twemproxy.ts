import { TwemproxyProbe } from '../../client/proxy.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeProxy } from '../plan/health.ts';
import { type KindBehaviour, restingProfileMs } from './kind.ts';
import { openProxy } from './proxy.ts';

export const twemproxy: KindBehaviour<AnswerOf<'twemproxy'>> = {
  open: ({ spec: { address, stats, checks } }) => {
    const twemproxy = new TwemproxyProbe({ address, stats });
    return openProxy(() => twemproxy.probe({ timeoutMs: checks.timeoutMs }));
  },
  judge: judgeProxy,
  profileMs: () => restingProfileMs,
};
