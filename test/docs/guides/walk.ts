import { setTimeout as delay } from 'node:timers/promises';
import type { Finished, Machine } from './machine.ts';
import { containsShown } from './shown-output.ts';
import type { Step } from './steps.ts';

const repeatMs = 30_000;
const pauseMs = 250;

interface Deviation {
  readonly line: number;
  readonly text: string;
}

export type ReaderMachine = Pick<Machine, 'run' | 'write' | 'listens'>;

/** The machines of a reader, by name. Steps run on the first one. */
export interface Reader {
  readonly machines: ReadonlyMap<string, ReaderMachine>;
}

/** What a reader has done, and the first step at which the guide and the world differ. */
export interface Walk {
  readonly steps: number;
  readonly deviation: Deviation | undefined;
}

/** Does what a guide says, step by step, until the world differs from the page. */
export async function walk(
  steps: readonly Step[],
  reader: Reader,
  print: (text: string) => void = () => {},
): Promise<Walk> {
  let last: (Finished & { readonly repeat: () => Promise<Finished> }) | undefined;
  for (const [i, step] of steps.entries()) {
    const { line, content, kind } = step;
    if (kind === 'aside') continue;
    if (kind === 'output') {
      const finished = last === undefined ? undefined : await awaitShown(last, step);
      if (finished !== undefined)
        return {
          steps: i,
          deviation: { line, text: `the page shows:\n${content}\nthe commands print:\n${finished.output}` },
        };
      continue;
    }
    const machines = machinesOf(reader, step.machines);
    if (kind === 'file') {
      for (const machine of machines) machine.write(step.path, content);
      continue;
    }
    const repeat = () => (kind === 'redis' ? sendToEach(step, reader) : runOnEach(machines, content));
    last = { ...(await repeat()), repeat };
    print(`${line}: ${content}${last.output}\n`);
    // What must show something in the end may fail before that.
    const next = steps[i + 1];
    if (next?.kind === 'output' && next.reading === 'eventually') continue;
    if ((last.code === 0) !== (kind === 'redis' || step.ends === 'well'))
      return { steps: i, deviation: { line, text: `exit code ${last.code}:\n${last.output}` } };
  }
  return { steps: steps.length, deviation: undefined };
}

/** The last output if it never is what the page shows. */
async function awaitShown(
  last: Finished & { readonly repeat: () => Promise<Finished> },
  { content, reading }: { readonly content: string; readonly reading: 'once' | 'eventually' },
): Promise<Finished | undefined> {
  const deadline = performance.now() + (reading === 'once' ? 0 : repeatMs);
  let finished: Finished = last;
  while (!containsShown(finished.output, content)) {
    if (performance.now() > deadline) return finished;
    await delay(pauseMs);
    finished = await last.repeat();
  }
  return undefined;
}

/** Sends commands to every Redis and Sentinel that listens on one of the ports. */
async function sendToEach(
  { ports, content }: Extract<Step, { kind: 'redis' }>,
  { machines }: Reader,
): Promise<Finished> {
  let output = '';
  for (const machine of machines.values())
    for (const port of ports) {
      if (!machine.listens(port)) continue;
      const finished = await machine.run(`redis-cli -e -p ${port} <<'END'\n${content}END`);
      output += finished.output;
      if (finished.code !== 0) return { code: finished.code, output };
    }
  return { code: output === '' ? 1 : 0, output };
}

/** Ends at the first machine on which a command fails. */
async function runOnEach(machines: readonly ReaderMachine[], content: string): Promise<Finished> {
  let output = '';
  for (const machine of machines) {
    const finished = await machine.run(content);
    output += finished.output;
    if (finished.code !== 0) return { code: finished.code, output };
  }
  return { code: 0, output };
}

function machinesOf({ machines }: Reader, names: readonly string[]): readonly ReaderMachine[] {
  if (names.length === 0) return [...machines.values()].slice(0, 1);
  return names.map((name) => {
    const machine = machines.get(name);
    if (machine === undefined) throw new Error(`the reader has no machine ${name}`);
    return machine;
  });
}
