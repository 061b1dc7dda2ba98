import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../errors.ts';
import { formatAddress, sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import type { DrillOrder } from './drill.ts';

const pollMs = 50;

/**
 * Kills the process of the master, and waits until the record names another one. Rejects with `failover-stalled` if it never does.
 */
export async function killMaster(
  record: MasterRecord,
  options: {
    readonly pid: number;
    readonly readRecord: () => Promise<MasterRecord | null>;
    /** How long the failover may take: Sentinel alone waits for `down-after-milliseconds`. */
    readonly timeoutMs: number;
  },
): Promise<DrillOrder> {
  const { pid, readRecord, timeoutMs } = options;
  process.kill(pid, 'SIGKILL');
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
