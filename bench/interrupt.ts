import {
  type LongStep,
  measureMoves,
  openDrain,
  openHaproxySteps,
} from '../test/integration/support/interrupted-steps.ts';
import type { Sample } from '../test/integration/support/observers.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface InterruptBenchOptions {
  readonly rounds: number;
  readonly json?: boolean;
}

/**
 * From the write of a record to the new address in HAProxy while its template is in each state. One process polls HAProxy's
 * socket; another follows the records with a blocking query and sends HAProxy one command. A drain belongs to a reload by a
 * command: there, the time ends when the command has copied the file.
 */
export async function benchInterrupt({ rounds, json }: InterruptBenchOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: 'bench-interrupt' });
  const results = new Map<string, readonly Sample[]>();
  const measure = async (name: string, step: LongStep) => {
    results.set(name, await measureMoves(step, { isEnough: ({ length }) => length >= rounds }));
    await step.leave();
  };
  try {
    const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });
    await whileOpen(async (owner) => {
      for (const step of await openHaproxySteps(owner, { sandbox, consul })) await measure(step.name, step);
    });
    await whileOpen(async (owner) => {
      const { idle, drain } = await openDrain(owner, { sandbox, consul });
      await measure('a command', idle);
      await measure('drain', drain);
    });
  } finally {
    await sandbox.close();
  }
  report(results, { rounds, ...(json === undefined ? {} : { json }) });
}

interface Owner {
  readonly teardown: (end: () => unknown) => void;
}

async function whileOpen(work: (owner: Owner) => Promise<void>): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    await work({ teardown: (end) => void ends.unshift(end) });
  } finally {
    for (const end of ends) await end();
  }
}

function report(results: ReadonlyMap<string, readonly Sample[]>, { rounds, json }: InterruptBenchOptions): void {
  const rows = [...results].map(([state, samples]) => ({
    state,
    moved: summarize(samples.map(({ movedMs }) => movedMs)),
    bare: summarize(samples.map(({ bareMs }) => bareMs)),
  }));
  if (json === true) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const cells = ({ p50, p99, max }: Summary) => [p50, p99, max].map((ms) => String(ms).padStart(8)).join('');
  const lines = [
    `from the record to HAProxy, ms, ${rounds} changes of a master in each state (p50, p99, max)`,
    `${'during'.padEnd(10)}${'switchmaster'.padStart(24)}${'bare'.padStart(24)}${'ratio of p50'.padStart(16)}`,
    ...rows.map(
      ({ state, moved, bare }) =>
        `${state.padEnd(10)}${cells(moved)}${cells(bare)}${String(round(moved.p50 / bare.p50)).padStart(16)}`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
