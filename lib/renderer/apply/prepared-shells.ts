import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { type CommandOutput, hasRoom, openTemporary } from './command-output.ts';
import { findProgram, type Launch } from './process-group.ts';

/*
 * To start a process, the operating system copies the daemon's page tables: the event loop stands still for some 10 ms at
 * 100 MB. So a shell is started when there is time, and waits for a command. Then it becomes the command (`exec`), with the same
 * process id, process group, environment and output as a process that is started directly.
 */

/** A process that executes a command, and the output that it inherited. */
export interface Started {
  readonly child: ChildProcess;
  readonly output: CommandOutput;
}

interface Shell extends Started {
  readonly environment: string;
  readonly stdin: Writable;
}

/** A run of a template has a check and a reload. */
const keptOfEnvironment = 2;
const keptInAll = 4;
/** After a command, and between two shells: what follows a change of master at once goes first. */
const pauseMs = 100;

const shells = new Set<Shell>();
/** The environments of the last commands, and what is missing of each. */
const wanted = new Map<string, NodeJS.ProcessEnv>();
let timer: NodeJS.Timeout | undefined;
let isAvailable = true;

/** Executes a command in a shell that waits. undefined if none does, or where the result could differ from a direct start. */
export function startPrepared(launch: Launch, args: readonly string[]): Started | undefined {
  const environment = JSON.stringify(launch.env);
  if (!isAvailable || !isPlain(launch, args)) return undefined;
  want(environment, launch.env);
  const shell = [...shells].find((one) => one.environment === environment);
  if (shell === undefined) return undefined;
  shells.delete(shell);
  const { child, output, stdin } = shell;
  if (!hasRoom(output)) {
    dismiss(shell);
    return undefined;
  }
  child.ref();
  stdin.end(`${scriptOf(launch, args)}\n`);
  return { child, output };
}

/** Nothing that a shell treats in another way than execvp(3): then the command is started directly. */
function isPlain({ file, argv0, env }: Launch, args: readonly string[]): boolean {
  const names = Object.keys(env).every((name) => /^[A-Za-z_]\w*$/.test(name));
  const words = [file, ...args].every((word) => /^[\t\n\x20-\x7e]*$/.test(word));
  return names && words && file === argv0 && !file.startsWith('-') && findProgram(file, env.PATH) !== undefined;
}

/** Variables that shells set by themselves. */
const ownVariables = ['PWD', 'OLDPWD', 'SHLVL', '_'];

function scriptOf({ file, env }: Launch, args: readonly string[]): string {
  const added = ownVariables.filter((name) => env[name] === undefined);
  return `unset -v ${added.join(' ')}; exec ${[file, ...args].map(quote).join(' ')} </dev/null`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function want(environment: string, env: NodeJS.ProcessEnv): void {
  // The newest last.
  wanted.delete(environment);
  wanted.set(environment, env);
  const [oldest] = wanted.keys();
  if (wanted.size > keptInAll && oldest !== undefined) wanted.delete(oldest);
  prepareLater();
}

function prepareLater(): void {
  // It does not keep the process.
  if (timer === undefined) timer = setTimeout(prepare, pauseMs).unref();
}

/** One at a time, with a pause after each. */
function prepare(): void {
  timer = undefined;
  for (const [environment, env] of [...wanted].reverse()) {
    const own = [...shells].filter((one) => one.environment === environment);
    if (own.length >= keptOfEnvironment) continue;
    const [oldest] = shells;
    if (shells.size >= keptInAll && oldest !== undefined) dismiss(oldest);
    start(environment, env);
    if (isAvailable) prepareLater();
    return;
  }
}

function start(environment: string, env: NodeJS.ProcessEnv): void {
  const output = openTemporary();
  if (output === undefined) return;
  const { descriptor } = output;
  const child = spawn('/bin/sh', [], { env, stdio: ['pipe', descriptor, descriptor], detached: true });
  const stdin = child.stdin as Writable;
  const shell = { child, output, environment, stdin };
  // A machine without a shell.
  child.once('error', () => {
    isAvailable = false;
    if (shells.delete(shell)) output.close();
  });
  child.once('exit', () => {
    if (shells.delete(shell)) output.close();
  });
  // It has ended. Its exit event follows.
  stdin.on('error', () => undefined);
  child.unref();
  (stdin as unknown as { unref(): void }).unref();
  shells.add(shell);
}

/** Without a command, the shell exits at the end of its input. The same happens when the daemon ends in any way. */
function dismiss(shell: Shell): void {
  shells.delete(shell);
  shell.stdin.end();
  shell.output.close();
}
