import { userInfo } from 'node:os';
import type { Problem } from '../lib/config/problem.ts';
import type { ServerFinding } from '../lib/doctor/online.ts';
import { printLine, stripControls, styled } from './terminal.ts';

/** Whether a template's destination can be replaced. */
export interface FileFinding {
  readonly file: string;
  readonly replaceable: boolean;
  /** Why not, and what to do. */
  readonly says?: string;
}

export interface Findings {
  /** The config files. */
  readonly read: readonly string[];
  /** What each part will do. */
  readonly parts: readonly string[];
  readonly warnings: readonly Problem[];
  /** What cannot work on this machine. */
  readonly obstacles: readonly Problem[];
  readonly servers: readonly ServerFinding[];
  readonly files: readonly FileFinding[];
}

/** `note` names the config that is read without `--config`. */
export function printFindings(findings: Findings, note: string | undefined): void {
  const { read, parts, warnings, obstacles } = findings;
  if (note !== undefined) printLine(stripControls(note));
  for (const file of read) printLine(`read ${stripControls(file)}`);
  for (const part of parts) printLine(styled('dim', stripControls(part)));
  const many = obstacles.length === 1 ? 'One thing' : `${obstacles.length} things`;
  if (obstacles.length === 0) printLine('The configuration is good.');
  else printLine(`The configuration is valid. ${many} cannot work for ${userName()} on this machine:`);
  for (const obstacle of obstacles) printLine(`${styled('red', 'cannot work')}: ${describe(obstacle)}`);
  for (const warning of warnings) printLine(`${styled('yellow', 'warning')}: ${describe(warning)}`);
  printOnline(findings);
}

/** A daemon of another user may have other rights. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

function describe({ path, message, hint }: Problem): string {
  return stripControls(`${path} ${message}${hint === undefined ? '' : ` (${hint})`}`);
}

function printOnline({ servers, files }: Pick<Findings, 'servers' | 'files'>): void {
  for (const { server, answers, says, code, hint } of servers) {
    const fault = code === 'redis-denied' || code === 'consul-denied' ? 'refuses us' : 'does not answer';
    const mark = answers ? styled('green', 'answers') : styled('red', fault);
    const more = hint === undefined || says.includes(hint) ? '' : `; ${hint}`;
    printLine(`${stripControls(server)} ${mark}: ${stripControls(`${says}${more}`)}`);
  }
  for (const { file, says } of files) {
    const mark = says === undefined ? styled('green', 'can be replaced') : styled('red', 'cannot be replaced');
    printLine(`file ${stripControls(file)} ${mark}${says === undefined ? '' : `: ${stripControls(says)}`}`);
  }
}
