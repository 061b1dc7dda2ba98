import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Writer.java, which runs from its source. */
export class JavaWriter {
  /** What Redis acknowledged, in order. */
  readonly acknowledged: { readonly number: number; readonly atMs: number }[] = [];
  /** The class of each exception, in order. */
  readonly failures: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start(job: {
    readonly name: string;
    readonly key: string;
    /** Options of the JVM. */
    readonly options: readonly string[];
    readonly env: NodeJS.ProcessEnv;
  }): JavaWriter {
    const { name, key, options, env } = job;
    const source = fileURLToPath(new URL('Writer.java', import.meta.url));
    const child = spawn('java', [...options, source, name, key], { stdio: ['pipe', 'pipe', 'inherit'], env });
    const writer = new JavaWriter(child);
    createInterface({ input: child.stdout }).on('line', (line) => writer.#take(line));
    return writer;
  }

  /** Ends it. Returns the acknowledged numbers that are not in the set. */
  async stop(members: () => Promise<unknown>): Promise<readonly number[]> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
    const kept = new Set((await members()) as string[]);
    return this.acknowledged.map(({ number }) => number).filter((number) => !kept.has(String(number)));
  }

  #take(line: string): void {
    const [word, what = '', at] = line.split(' ');
    if (word === 'acknowledged') this.acknowledged.push({ number: Number(what), atMs: Number(at) });
    else this.failures.push(what);
  }
}
