import { probeClusterNode, readClusterNodeProfile } from '../../client/instance-probe.ts';
import type { AnswerOf } from '../../model/probe-result.ts';
import { judgeRedis } from '../plan/health.ts';
import type { KindBehaviour } from './kind.ts';
import { openServer } from './server.ts';

export const cluster: KindBehaviour<AnswerOf<'cluster'>> = {
  open: (target) => {
    const { address } = target.spec;
    if (typeof address === 'string') throw new TypeError(`the config allows no socket for a cluster node: ${address}`);
    return openServer({ ...target, address }, { probe: probeClusterNode, profile: readClusterNodeProfile });
  },
  judge: judgeRedis,
  // The slots of a node can move at any time.
  profileMs: ({ checks }) => checks.intervalMs,
};
