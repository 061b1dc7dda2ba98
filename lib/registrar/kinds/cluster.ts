import { probeClusterNode, readClusterNodeProfile } from '../../client/instance-probe.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeRedis } from '../plan/health.ts';
import type { KindBehaviour } from './kind.ts';
import { openServer } from './server.ts';

export const cluster: KindBehaviour<AnswerOf<'cluster'>> = {
  open: (target) => openServer(target, { probe: probeClusterNode, profile: readClusterNodeProfile }),
  judge: judgeRedis,
  // The slots of a node can move at any time.
  profileMs: ({ checks }) => checks.intervalMs,
};
