import type { CheckStatus } from '../../model/catalog.ts';
import type { CheckSettings } from '../../model/instance.ts';
import type {
  LinkProbeResult,
  ProbeResult,
  ProxyProbeResult,
  RedisProbeResult,
  SentinelProbeResult,
} from '../../model/probe-result.ts';

/*
 * What a look at an instance means for its health check. docs/reference/checks.md lists every output; they hold no
 * numbers, times or counts, for each change of an output wakes everybody who watches the service.
 */

export interface Verdict {
  readonly status: CheckStatus;
  readonly output: string;
  /** True where waiting for a second look would let clients write to the wrong place. */
  readonly urgent: boolean;
}

/** The role that the record gives an instance. `replica` also where the record simply has another master. */
export type ExpectedRole = 'master' | 'replica' | 'unknown';

export interface Judging {
  readonly expected: ExpectedRole;
  /**
   * How long ago this very process took another role than the record has for it; 0 where it has not. Infinity where it
   * began with that role, or kept it while the record moved on: then nobody promotes it, and it is an old master.
   */
  readonly mismatchMs: number;
  readonly settings: Pick<CheckSettings, 'maxLagMs' | 'maxLinkDownMs'>;
}

/** A promotion is visible in ROLE for about a second before Sentinel announces it and the record can follow. */
const promotionGraceMs = 5_000;

export function judge(probeResult: ProbeResult, judging: Judging): Verdict {
  switch (probeResult.kind) {
    case 'unreachable':
      return critical(probeResult.why === 'refused' ? 'refuses connections' : 'does not answer in time');
    case 'denied':
      // Its clients may be served well. Taking every Redis out of DNS for a password of ours would be the worse fault.
      return warning('answers, but refuses the credentials of this check');
    case 'redis':
      return judgeRedis(probeResult, judging);
    case 'sentinel':
      return judgeSentinel(probeResult);
    case 'proxy':
      return judgeProxy(probeResult);
  }
}

function judgeRedis(probeResult: RedisProbeResult, judging: Judging): Verdict {
  const role = judgeRole(probeResult, judging);
  if (role?.status === 'critical') return role;
  if (probeResult.loading) return critical('is loading its data set');
  if (probeResult.cluster?.state === 'fail') return critical('cluster_state:fail');
  const link = probeResult.link === undefined ? undefined : judgeLink(probeResult.link, judging.settings);
  if (link?.status === 'critical') return link;
  if (role !== undefined) return role;
  if (link !== undefined) return link;
  if (probeResult.memoryFull) return warning('memory is full and nothing may be evicted: writes are refused');
  if (probeResult.saveFailed) return warning('the last snapshot failed (rdb_last_bgsave_status)');
  if (probeResult.appendFailed) return warning('the last write to the append-only file failed (aof_last_write_status)');
  return passing();
}

/** undefined where ROLE and record agree, or the record says nothing. */
function judgeRole({ role }: RedisProbeResult, { expected, mismatchMs }: Judging): Verdict | undefined {
  if (expected === 'unknown' || role === expected || role === 'other') return undefined;
  const output = `answers as a ${role}, but the record has it as a ${expected}`;
  if (mismatchMs <= promotionGraceMs) return warning(output);
  return { ...critical(output), urgent: role === 'master' };
}

function judgeLink(link: LinkProbeResult, settings: Judging['settings']): Verdict | undefined {
  if (!link.up && link.downMs > settings.maxLinkDownMs)
    return critical('the link to its master has been down for too long');
  if (link.syncing) return warning('is being synchronized with its master');
  if (!link.up) return warning('the link to its master is down');
  if ((link.silentMs ?? 0) > settings.maxLagMs) return warning('lags behind its master');
  return undefined;
}

function judgeSentinel({ tilt, masters, withoutQuorum }: SentinelProbeResult): Verdict {
  if (tilt) return warning('is in TILT mode: it decides nothing');
  if (masters === 0) return warning('monitors no master');
  if (withoutQuorum.length > 0)
    return warning(`no quorum or majority for ${withoutQuorum.join(', ')} (SENTINEL CKQUORUM)`);
  return passing();
}

function judgeProxy({ broken }: ProxyProbeResult): Verdict {
  return broken.length === 0 ? passing() : warning(`no server answers for ${broken.join(', ')}`);
}

/** One output for all that is well: Consul's agents hold back an output that changes alone (check_update_interval). */
function passing(): Verdict {
  return { status: 'passing', output: 'answers', urgent: false };
}

function warning(output: string): Verdict {
  return { status: 'warning', output, urgent: false };
}

function critical(output: string): Verdict {
  return { status: 'critical', output, urgent: false };
}
