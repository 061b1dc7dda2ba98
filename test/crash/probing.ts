// The process of a Prober. IPC in: `ProbeOrder`; out: `ProbeWord`, after the first attempt and after the stop.
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { tryConnect } from '../../lib/crash/connect-attempt.ts';
import type { Address } from '../../lib/model/address.ts';
import { longestGapMs, probeEveryMs, SilenceRecord, type Silences } from './silence.ts';

export interface ProbeOrder {
  readonly id: number;
  /** Where to connect from now on; undefined: stop. */
  readonly to?: Address;
}

/** What was seen so far. */
export interface ProbeWord extends Silences {
  readonly id: number;
}

const tell = (word: ProbeWord) => process.send?.(word);
const running = new Map<number, { stopped: boolean }>();

async function probe({ id, to }: Required<ProbeOrder>): Promise<void> {
  const state = { stopped: false };
  running.set(id, state);
  const record = new SilenceRecord(Date.now());
  for (let n = 1; !state.stopped; n += 1) {
    const beganMs = Date.now();
    const answer = await tryConnect({ to, from: undefined }, { timeoutMs: longestGapMs });
    record.add({ beganMs, endedMs: Date.now(), answer });
    if (n === 1) tell({ id, certain: [], possible: [] });
    await delay(probeEveryMs);
  }
  running.delete(id);
  tell({ id, ...record.end(Date.now()) });
}

try {
  setPriority(-20);
} catch {
  // Only root may.
}
process.on('message', ({ id, to }: ProbeOrder) => {
  const state = running.get(id);
  if (to !== undefined) void probe({ id, to });
  else if (state !== undefined) state.stopped = true;
});
process.on('disconnect', () => process.exit(0));
