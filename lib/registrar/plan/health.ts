import type { CheckStatus } from '../../model/catalog.ts';
import type { CheckSettings } from '../../model/instance.ts';
import { masterChangeOutputs } from '../../model/instance-check.ts';
import { explainFault, isNamed, linkFaults } from '../../model/link-fault.ts';
import type {
  LinkProbeResult,
  ProxyProbeResult,
  RedisProbeResult,
  SentinelProbeResult,
  Unanswered,
} from '../../model/probe-result.ts';

/*
 * The health verdict for what a probe found. docs/reference/checks.md lists every output. Outputs hold no numbers, times
 * or counts, because each change of an output wakes everybody who watches the service.
 */

export interface Verdict {
  readonly status: CheckStatus;
  readonly output: string;
  /** Takes effect without hysteresis, because clients could write to the wrong place meanwhile. */
  readonly urgent: boolean;
}

/** The role that the record gives an instance; `unknown` where it does not list it and nothing proves another master. */
export type ExpectedRole = 'master' | 'replica' | 'unknown';

export interface Judging {
  readonly expected: ExpectedRole;
  /** `missing`: the record has another address as the master, which could not be asked for its run_id. */
  readonly proof?: 'missing' | undefined;
  /**
   * How long ago this process left the role that the record has for it; 0 where it has that role. Infinity where it
   * started with another role, or kept its role while the record changed: then it is a former master, and nobody is
   * promoting it.
   */
  readonly mismatchMs: number;
  readonly settings: Pick<CheckSettings, 'maxLagMs' | 'maxLinkDownMs'>;
}

const unprovenMaster =
  'answers as a master, but the record has another address as the master, which cannot be asked for its run_id';

/** A promotion is visible in ROLE for about a second before Sentinel announces it and the record can follow. */
const promotionGraceMs = 5_000;

/** The verdict on an instance whose state cannot be read. */
export function judgeUnanswered(result: Unanswered): Verdict {
  switch (result.kind) {
    case 'unreachable':
      return judgeUnreachable(result);
    case 'denied':
      // Clients may be served well. A wrong password of switchmaster must not remove every Redis from DNS.
      return warning('answers, but refuses the credentials of this check');
  }
}

function judgeUnreachable({ why, fault }: Unanswered & { readonly kind: 'unreachable' }): Verdict {
  if (fault !== undefined && isNamed(fault)) {
    // With other settings than those of this check, clients may be served well.
    return linkFaults[fault].class === 'settings' ? warning(explainFault(fault)) : critical(explainFault(fault));
  }
  return critical(why === 'refused' ? 'refuses connections' : 'does not answer in time');
}

export function judgeRedis(answer: RedisProbeResult, judging: Judging): Verdict {
  const role = judgeRole(answer, judging);
  if (role?.status === 'critical') return role;
  if (answer.loading) return critical('is loading its data set');
  if (answer.cluster?.state === 'fail') return critical('cluster_state:fail');
  const link = answer.link === undefined ? undefined : judgeLink(answer.link, judging.settings);
  if (link?.status === 'critical') return link;
  if (role !== undefined) return role;
  if (link !== undefined) return link;
  if (answer.memoryFull) return warning('memory is full and nothing may be evicted: writes are refused');
  if (answer.saveFailed) return warning('the last snapshot failed (rdb_last_bgsave_status)');
  if (answer.appendFailed) return warning('the last write to the append-only file failed (aof_last_write_status)');
  return passing();
}

/** undefined where ROLE and record agree, or no record is about this instance. */
function judgeRole({ role }: RedisProbeResult, { expected, proof, mismatchMs }: Judging): Verdict | undefined {
  if (proof === 'missing' && role === 'master') return warning(unprovenMaster);
  if (expected === 'unknown' || role === expected || role === 'other') return undefined;
  const output = role === 'master' ? masterChangeOutputs.masterTooEarly : masterChangeOutputs.replicaTooEarly;
  if (mismatchMs <= promotionGraceMs) return warning(output);
  return { ...critical(output), urgent: role === 'master' };
}

function judgeLink(link: LinkProbeResult, settings: Judging['settings']): Verdict | undefined {
  if (!link.up && link.downMs > settings.maxLinkDownMs)
    return critical('the link to its master has been down for too long');
  if (link.syncing) return warning(masterChangeOutputs.synchronizing);
  if (!link.up) return warning(masterChangeOutputs.linkDown);
  if ((link.silentMs ?? 0) > settings.maxLagMs) return warning('lags behind its master');
  return undefined;
}

export function judgeSentinel({ tilt, masters, withoutQuorum }: SentinelProbeResult): Verdict {
  if (tilt) return warning('is in TILT mode: it decides nothing');
  if (masters === 0) return warning('monitors no master');
  if (withoutQuorum.length > 0)
    return warning(`no quorum or majority for ${withoutQuorum.join(', ')} (SENTINEL CKQUORUM)`);
  return passing();
}

export function judgeProxy({ broken, stats }: ProxyProbeResult): Verdict {
  if (stats === 'unreadable')
    return warning('answers, but nothing serves its statistics where the config names them; correct stats');
  return broken.length === 0 ? passing() : warning(`no server answers for ${broken.join(', ')}`);
}

/** One output for every healthy instance: agents delay a change of the output alone (check_update_interval). */
function passing(): Verdict {
  return { status: 'passing', output: 'answers', urgent: false };
}

function warning(output: string): Verdict {
  return { status: 'warning', output, urgent: false };
}

function critical(output: string): Verdict {
  return { status: 'critical', output, urgent: false };
}
