// Runs commands of switchmaster in this worker thread, any number at a time: each has its own output and environment.
import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort } from 'node:worker_threads';
import { runProgram } from '../../cmd/program.ts';
import type { Finished } from './program.ts';

// Commands that begin together import these late, and together. With hooks of the module loader, one of them may get a CommonJS
// package before it has run.
await Promise.all(['consul', 'cockatiel', 'ioredis', 'handlebars', 'pino'].map((name) => import(name)));

export interface CommandRequest {
  readonly id: number;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface CommandAnswer extends Finished {
  readonly id: number;
}

interface Command {
  readonly environment: Readonly<Record<string, string>>;
  stdout: string;
  stderr: string;
}

const running = new AsyncLocalStorage<Command>();

for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: unknown) => {
    const command = running.getStore();
    if (command !== undefined) command[name] += String(chunk);
    return true;
  };
}

const environment = () => running.getStore()?.environment ?? {};
process.env = new Proxy<NodeJS.ProcessEnv>(
  {},
  {
    get: (_, name) => Reflect.get(environment(), name),
    has: (_, name) => Reflect.has(environment(), name),
    ownKeys: () => Reflect.ownKeys(environment()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(environment(), name),
  },
);

parentPort?.on('message', async ({ id, argv, environment }: CommandRequest) => {
  const command: Command = { environment, stdout: '', stderr: '' };
  const code = await running.run(command, () => runProgram(argv));
  parentPort?.postMessage({ id, code, stdout: command.stdout, stderr: command.stderr } satisfies CommandAnswer);
});
