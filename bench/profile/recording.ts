import type { Address } from '../../lib/model/address.ts';
import type { AllocationNode, CpuProfile } from './functions.ts';
import { Inspector } from './inspector.ts';

/** What a process did while it was recorded. */
export interface Recording {
  readonly cpu: CpuProfile;
  readonly heap: { readonly head: AllocationNode };
  readonly process: ProcessUse;
}

/** Milliseconds and bytes. */
export interface ProcessUse {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** How late timers of the event loop are. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Between two samples of the stack. */
const intervalUs = 200;
/** On average, one allocation in so many bytes is sampled. */
const allocationBytes = 8_192;
/** Of the timer that measures how late the event loop is. */
const resolutionMs = 1;

const begin = `{
  const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
  const delay = monitorEventLoopDelay({ resolution: ${resolutionMs} });
  delay.enable();
  globalThis.recorded = { delay, cpu: process.cpuUsage(), startedMs: performance.now() };
}`;

const end = `(() => {
  const { delay, cpu, startedMs } = globalThis.recorded;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const late = (ns) => Math.max(0, ns / 1e6 - ${resolutionMs});
  return {
    wallMs: performance.now() - startedMs,
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
    delayMs: { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) },
  };
})()`;

/** Records the process with this inspector while `work` runs. */
export async function record(inspectorAddress: Address, work: () => Promise<void>): Promise<Recording> {
  const inspector = await Inspector.connect(inspectorAddress);
  try {
    await inspector.send('Profiler.enable');
    await inspector.send('Profiler.setSamplingInterval', { interval: intervalUs });
    await inspector.send('HeapProfiler.startSampling', {
      samplingInterval: allocationBytes,
      // Also what was collected since: allocation is the cost, and not only what is kept.
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await inspector.send('Profiler.start');
    await inspector.evaluate(begin);
    await work();
    const process = await inspector.evaluate<ProcessUse>(end);
    const { profile: cpu } = await inspector.send<{ profile: CpuProfile }>('Profiler.stop');
    const { profile: heap } = await inspector.send<{ profile: { head: AllocationNode } }>('HeapProfiler.stopSampling');
    return { cpu, heap, process };
  } finally {
    inspector.close();
  }
}
