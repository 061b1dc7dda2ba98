import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Parser, type Result } from 'tap-parser';
import { searchDirs } from '../../setup/paths.mjs';
import type { TapFile } from './tap-file.ts';

export interface FileRun {
  /** Why the file did not end well by itself; undefined where it did, whatever its tests say. */
  readonly problem: string | undefined;
  readonly wallMs: number;
  /** User and system, of the file and of the processes that it started and that have ended. */
  readonly cpuMs: number;
}

export interface TestProcessOptions {
  readonly projectDir: string;
  /**
   * How long a file that has ended may take to close what it opened. Default: longer than a wait for a condition that no
   * longer comes. What is left open for ever is found all the same.
   */
  readonly closingMs?: number;
}

interface RunningFile {
  readonly tap: TapFile;
  readonly read: PromiseWithResolvers<void>;
  readonly answered: PromiseWithResolvers<Answer>;
}

/** What worker.mjs answers. */
interface Answer {
  readonly ok: boolean;
  readonly cpuMs: number;
  /** The kinds of resources that keep its process alive. */
  readonly open: readonly string[];
}

// tap ends a test file after the first, with a list of what is still open. The second is for a file that ignores it.
const timeoutSeconds = 240;
const killAfterMs = Number(process.env.TEST_KILL_AFTER_MS ?? 900_000);
const exitWithinMs = 5_000;
const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
const loadStripped = fileURLToPath(new URL('load-stripped.mjs', import.meta.url));

/** A process on the project's own Node that runs test files, one at a time. */
export class TestProcess {
  readonly #child: ChildProcess;
  readonly #orders: Duplex;
  readonly #closed: Promise<string>;
  #running: RunningFile | undefined;

  constructor({ projectDir, closingMs = 65_000 }: TestProcessOptions) {
    const bin = join(projectDir, 'node_modules/.bin');
    const env = {
      ...process.env,
      // Programs that tests start by name run on the project's Node, too, and daemons in a test's own process find the proxies.
      PATH: [bin, ...searchDirs()].join(delimiter),
      TAP_TIMEOUT: String(timeoutSeconds),
      TEST_CLOSING_MS: String(closingMs),
      // The test files, and the daemons and commands that they start, load the same modules.
      NODE_OPTIONS: `--import=${loadStripped}`,
      NODE_COMPILE_CACHE: join(projectDir, 'node_modules/.cache/node'),
    };
    this.#child = spawn(join(bin, 'node'), [worker], {
      cwd: projectDir,
      env,
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    this.#closed = once(this.#child, 'close').then(
      ([code, signal]) => `the process ended with ${signal ?? `exit code ${code}`}`,
    );
    this.#orders = this.#child.stdio[3] as Duplex;
    // It ends with the process, whose end is reported.
    this.#orders.on('error', () => {});
    createInterface({ input: this.#orders }).on('line', (line) => this.#running?.answered.resolve(JSON.parse(line)));
    const parser = new Parser();
    parser.on('child', (files: Parser) => this.#follow(files));
    this.#child.stdout?.pipe(parser);
  }

  /** Runs a file, whose TAP goes to `tap`. */
  async run(file: string, tap: TapFile): Promise<FileRun> {
    const startedMs = performance.now();
    const running = { tap, read: Promise.withResolvers<void>(), answered: Promise.withResolvers<Answer>() };
    this.#running = running;
    const timer = setTimeout(() => this.kill(), killAfterMs);
    this.#orders.write(`${file}\n`);
    const answer = Promise.all([running.answered.promise, running.read.promise]).then(([answer]) => answer);
    const answered = await Promise.race([answer, this.#closed]);
    clearTimeout(timer);
    const wallMs = performance.now() - startedMs;
    if (typeof answered === 'string') return { problem: answered, wallMs, cpuMs: 0 };
    return { problem: describe(answered), wallMs, cpuMs: answered.cpuMs };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /**
   * Ends the process, by force if a connection that waits for its other end keeps it alive. Answers how it ended if it
   * failed by itself.
   */
  async end(): Promise<string | undefined> {
    let forced = false;
    const timer = setTimeout(() => {
      forced = true;
      this.kill();
    }, exitWithinMs);
    this.#orders.end();
    const ended = await this.#closed;
    clearTimeout(timer);
    return forced || this.#child.exitCode === 0 ? undefined : ended;
  }

  /** Within the test around the files. */
  #follow(files: Parser): void {
    files.on('child', (parser: Parser) => {
      const running = this.#running;
      running?.tap.follow(parser);
      parser.on('complete', () => running?.read.resolve());
    });
    // An error that came after the end of its file.
    files.on('assert', (result: Result) => {
      if (!result.closingTestPoint) this.#running?.tap.fail(result);
    });
  }
}

function describe({ ok, open }: Answer): string | undefined {
  if (open.length > 0) return `it left open: ${open.join(', ')}`;
  return ok ? undefined : 'its test failed';
}
