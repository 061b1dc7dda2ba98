import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { type RequestTime, requestChannelName } from '../model/request.ts';

const requests = channel(requestChannelName);

/** Settles as `run` does and publishes the duration. Without subscribers it measures nothing. */
export async function timed<T>(request: Pick<RequestTime, 'server' | 'operation'>, run: () => Promise<T>): Promise<T> {
  if (!requests.hasSubscribers) return run();
  const startedMs = performance.now();
  let result: RequestTime['result'] = 'error';
  try {
    const answer = await run();
    result = 'ok';
    return answer;
  } finally {
    const time: RequestTime = { ...request, result, durationMs: performance.now() - startedMs };
    requests.publish(time);
  }
}
