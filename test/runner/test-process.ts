import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestGroup } from './group.ts';

export interface TestProcess {
  /** Why it failed by itself; undefined if it exited with 0. */
  readonly problem: string | undefined;
  readonly wallMs: number;
  /** Of the process and all descendants that were waited for, user and system. */
  readonly cpuMs: number;
}

// tap ends a test file after the first, with a list of what is still open. The second is for a process that ignores it.
const timeoutSeconds = 120;
const killAfterMs = 300_000;
const sharedProcess = fileURLToPath(new URL('shared-process.mjs', import.meta.url));
const loadStripped = fileURLToPath(new URL('load-stripped.mjs', import.meta.url));

/** Runs test files on the project's own Node and writes their TAP into `input`. Answers when both have ended. */
export async function runGroup(
  { files }: Pick<TestGroup, 'files'>,
  { projectDir, input }: { readonly projectDir: string; readonly input: NodeJS.WritableStream },
): Promise<TestProcess> {
  const bin = join(projectDir, 'node_modules/.bin');
  const env = {
    ...process.env,
    // Programs that tests start by name run on the project's Node, too.
    PATH: `${bin}:${process.env.PATH}`,
    TAP_TIMEOUT: String(timeoutSeconds),
    // The test files, and the daemons and commands that they start, load the same modules.
    NODE_OPTIONS: `--import=${loadStripped}`,
    NODE_COMPILE_CACHE: join(projectDir, 'node_modules/.cache/node'),
    ...(files.length === 1 ? {} : { TEST_FILES: files.join('\n') }),
  };
  const startedMs = performance.now();
  const child = spawn(join(bin, 'node'), files.length === 1 ? files : [sharedProcess], {
    cwd: projectDir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: killAfterMs,
    killSignal: 'SIGKILL',
  });
  let cpuMs = 0;
  child.once('exit', () => {
    cpuMs = newChildCpuMs();
  });
  const closed = once(child, 'close');
  child.stdout.pipe(input);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  const problem = code === 0 ? undefined : `the process ended with ${signal ?? `exit code ${code}`}`;
  return { problem, wallMs: performance.now() - startedMs, cpuMs };
}

let countedTicks = 0;
const msPerTick = 10;

/**
 * CPU time of the children that have ended since the last call. Node has no getrusage(RUSAGE_CHILDREN), so this reads
 * cutime and cstime of /proc/self/stat (proc_pid_stat(5)); 0 where there is no /proc.
 */
function newChildCpuMs(): number {
  let stat: string;
  try {
    stat = readFileSync('/proc/self/stat', 'utf8');
  } catch {
    return 0;
  }
  // The fields after the program's name, which is in parentheses: cutime is the 16th of all, cstime the 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[13]) + Number(fields[14]);
  const newTicks = ticks - countedTicks;
  countedTicks = ticks;
  return newTicks * msPerTick;
}
