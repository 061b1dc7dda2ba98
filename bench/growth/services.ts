import { setTimeout as delay } from 'node:timers/promises';
import { openFiles } from '../../test/sandbox/process-files.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import { cpuMs, residentMib } from '../process-cost.ts';
import { prepareSide, startSwitchmaster, timeChange, untilSettled } from '../render-sides.ts';
import { quantile, round } from '../statistics.ts';
import { measureEachSize } from './each-size.ts';
import type { Row } from './table.ts';

export interface ServicesSizes {
  readonly services: readonly number[];
}

const changes = 15;
const pauseMs = 300;

/** One template that lists all services, each over a connection of its own; one service changes at a time. */
export function measureServices(
  { services: sizes }: ServicesSizes,
  progress: (line: string) => void,
): Promise<readonly Row[]> {
  return measureEachSize({ what: 'services', sizes, measure: measureSize }, progress);
}

async function measureSize(sandbox: Sandbox, size: number): Promise<Row> {
  const place = { size, name: 'switchmaster' };
  const side = await prepareSide(sandbox, place);
  const beganMs = performance.now();
  const { pid = 0 } = await startSwitchmaster(sandbox, side, place);
  await untilSettled(side, place);
  const settledMs = performance.now() - beganMs;
  const before = cpuMs(pid);
  const times: number[] = [];
  for (let done = 1; done <= changes; done += 1) {
    times.push(await timeChange(side, { service: (done * 7_919) % size, port: 1 + done }));
    await delay(pauseMs);
  }
  return {
    services: size,
    settledMs: Math.round(settledMs),
    p50Ms: round(quantile(times, 0.5)),
    p99Ms: round(quantile(times, 0.99)),
    cpuMsPerChange: round((cpuMs(pid) - before) / changes),
    residentMib: Math.round(residentMib(pid).now),
    connections: openFiles(pid).connections.length,
  };
}
