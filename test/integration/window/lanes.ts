import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inOwnNetwork } from '../../sandbox/namespace.ts';

import { drawCase, type Fault, type WindowCase } from './cases.ts';
import type { LaneAnswer, LaneOrder } from './lane.ts';
import type { WindowResult } from './scene.ts';

const program = fileURLToPath(new URL('lane.ts', import.meta.url));
const roundLimitMs = 200_000;

export interface Round extends LaneOrder {
  readonly result: WindowResult;
}

export interface RoundsOptions {
  readonly seed: number;
  /** The first round's number, and how many. */
  readonly from: number;
  readonly rounds: number;
  readonly sideBySide: number;
  readonly among?: readonly Fault[];
  readonly onRound: (round: Round) => void;
}

/** Debian's Redis, and the editions that the bootstrap has unpacked. */
export function knownEditions(): readonly string[] {
  const tools = join(import.meta.dirname, '../../../.tools/bin');
  return ['redis', ...['redis8', 'valkey'].filter((edition) => existsSync(join(tools, `${edition}-server`)))];
}

/** Runs rounds of a seed, some side by side, each lane in a network of its own. */
export async function runRounds({ seed, from, rounds, sideBySide, among, onRound }: RoundsOptions): Promise<void> {
  const editions = knownEditions();
  const orders = Array.from({ length: rounds }, (_, i): LaneOrder => {
    const number = from + i;
    return { number, window: drawCase({ seed, number, editions, ...(among && { among }) }) };
  });
  await runCases(orders, { sideBySide, onRound });
}

export async function runCases(
  orders: readonly LaneOrder[],
  { sideBySide, onRound }: { readonly sideBySide: number; readonly onRound: (round: Round) => void },
): Promise<void> {
  const left = orders.values();
  const lanes = Array.from({ length: Math.min(sideBySide, orders.length) }, async () => {
    const lane = new Lane();
    try {
      for (const order of left) onRound({ ...order, result: await lane.run(order) });
    } finally {
      lane.close();
    }
  });
  await Promise.all(lanes);
}

/** A process that runs rounds; one that ends is replaced. */
class Lane {
  #child: ChildProcess | undefined;

  async run(order: LaneOrder): Promise<WindowResult> {
    const startedMs = performance.now();
    try {
      this.#child ??= await startLane();
      const answer = await ask(this.#child, order);
      if ('result' in answer) return answer.result;
      throw new Error(answer.error);
    } catch (error) {
      this.close();
      return brokenRound(error, performance.now() - startedMs);
    }
  }

  close(): void {
    if (this.#child?.connected) this.#child.disconnect();
    this.#child = undefined;
  }
}

function brokenRound(error: unknown, tookMs: number): WindowResult {
  const none = { acknowledged: 0, lost: 0, lostThatSentinelKeeps: 0, lostToGivenUp: 0, lostUnattended: 0 };
  return { ...none, problems: [`the round could not be run: ${String(error)}`], story: '', tookMs };
}

async function startLane(): Promise<ChildProcess> {
  const [file, ...args] = inOwnNetwork([process.execPath, program]);
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await messageOf(child, 60_000);
  return child;
}

function ask(child: ChildProcess, order: { readonly number: number; readonly window: WindowCase }) {
  const answer = messageOf(child, roundLimitMs);
  child.send(order);
  return answer as Promise<LaneAnswer>;
}

function messageOf(child: ChildProcess, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const release = () => {
      clearTimeout(timer);
      child.off('message', heard);
      child.off('exit', ended);
    };
    const heard = (message: unknown) => {
      release();
      resolve(message);
    };
    const ended = () => {
      release();
      reject(new Error('its process ended'));
    };
    const timer = setTimeout(() => {
      release();
      child.disconnect();
      reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    child.on('message', heard);
    child.on('exit', ended);
  });
}
