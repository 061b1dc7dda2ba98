import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../errors.ts';
import { formatAddress, sameAddress } from '../model/address.ts';
import { compareVersions } from '../model/epoch.ts';
import type { MasterRecord } from '../model/record.ts';
import type { DrillOrder } from './options.ts';

const pollMs = 50;

/**
 * Kills the process of the master, and waits until the record names another one. Rejects with `failover-refused`, and kills nothing,
 * where the process or the record is not what was confirmed; with `failover-stalled` if the record never names another one.
 */
export async function killMaster(
  record: MasterRecord,
  options: {
    /** The process that was confirmed. */
    readonly pid: number;
    /** Proves again which process is the master. */
    readonly findProcess: () => Promise<number>;
    readonly readRecord: () => Promise<MasterRecord | null>;
    /** How long the failover may take: Sentinel alone waits for `down-after-milliseconds`. */
    readonly timeoutMs: number;
    /** Called as soon as the process is killed. */
    readonly onKilled: () => void;
  },
): Promise<DrillOrder> {
  const { pid, readRecord, timeoutMs, onKilled } = options;
  await requireUnchanged(record, options);
  sendKill(pid);
  onKilled();
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    const now = await readRecord().catch(() => null);
    if (now !== null && !sameAddress(now.master, record.master)) {
      const { name, master: to, generation, epoch } = now;
      return { name, from: record.master, to, generation, epoch, withoutWritesMs: undefined };
    }
    await delay(pollMs);
  }
  const message =
    `${record.name} was not failed over within ${timeoutMs / 1_000} s after ${formatAddress(record.master)} was killed. ` +
    'Start Redis there again';
  throw new SwitchmasterError('failover-stalled', message);
}

/** A confirmation may take minutes, and the failover of another operator is as quick as the checks before the kill. */
async function requireUnchanged(
  record: MasterRecord,
  at: {
    readonly pid: number;
    readonly findProcess: () => Promise<number>;
    readonly readRecord: () => Promise<MasterRecord | null>;
  },
): Promise<void> {
  const now = await at.readRecord();
  if (now === null || !sameAddress(now.master, record.master) || compareVersions(now, record) !== 0)
    throw refusal(`the record of ${record.name} has changed since the confirmation`);
  const pid = await at.findProcess();
  if (pid !== at.pid) throw refusal(`${formatAddress(record.master)} is process ${pid} now, not ${at.pid}`);
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    throw new SwitchmasterError('failover-refused', `process ${pid} cannot be killed`, { cause });
  }
}

function refusal(why: string): SwitchmasterError {
  return new SwitchmasterError('failover-refused', `nothing was killed: ${why}`);
}
