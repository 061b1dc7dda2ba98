import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { readInfo } from '../client/instance-shapes.ts';
import { countLastingKeys } from '../client/keyspace.ts';
import type { RestartedMaster } from '../model/crash.ts';
import { tryConnectAll, type Way } from './connect-attempt.ts';

const connectTimeoutMs = 200;
const askEveryMs = 18;
/** While it loads, or gives no answer for long. */
const askRarelyMs = 100;
/**
 * The pauses before the first question about a process. One that is killed closes its connections in any order, so its listener is often
 * open for some milliseconds after the bridge's connection was closed.
 */
const endingMs = [2, 3, 5, 8];
const restartMs = 10_000;
/** A process that starts without data answers sooner. */
const promptMs = 1_000;

/**
 * What answers at the master's address, once it does not load any more; undefined where nothing answers for ten seconds.
 * `gone`: its host refuses connections again.
 */
export async function waitForRestart(at: {
  /** Asks for INFO. Rejects where nobody answers. */
  readonly readInfo: () => Promise<unknown>;
  readonly ways: readonly Way[];
  readonly signal: AbortSignal;
  /** Called while it loads, or has not answered for a second. */
  readonly onDelay: () => void;
  /** Whether it has answered before. Default: it may be one that ends. */
  readonly hasAnswered?: boolean;
}): Promise<RestartedMaster | 'gone' | undefined> {
  const startedMs = performance.now();
  const pausesMs = at.hasAnswered === true ? [] : endingMs;
  let last: RestartedMaster | undefined;
  let pauseMs = askEveryMs;
  for (let n = 1; last?.state === 'loading' || performance.now() - startedMs < restartMs; n += 1) {
    await delay(pausesMs[n - 1] ?? pauseMs, undefined, { signal: at.signal });
    const answer = await tryConnectAll(at.ways, { timeoutMs: connectTimeoutMs });
    if (answer === 'refused') return 'gone';
    if (n < pausesMs.length) continue;
    last = answer === 'accepted' ? toRestarted(await at.readInfo().catch(() => undefined)) : undefined;
    if (last !== undefined && last.state !== 'loading') return last;
    if (last === undefined && performance.now() - startedMs <= promptMs) continue;
    pauseMs = askRarelyMs;
    at.onDelay();
  }
  return undefined;
}

/** undefined where the reply to INFO names no run. */
function toRestarted(info: unknown): RestartedMaster | undefined {
  const fields = readInfo(info);
  const runId = fields.get('run_id');
  if (runId === undefined) return undefined;
  const state = fields.get('loading') === '1' ? 'loading' : fields.get('role') === 'master' ? 'master' : 'other';
  const persistence = fields.get('aof_enabled') === '1' ? 'append-only' : 'other';
  return { runId, state, persistence, keys: countLastingKeys(info) };
}
