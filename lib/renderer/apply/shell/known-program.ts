import { closeSync, openSync, readSync } from 'node:fs';
import { findProgram, isExecutable, type Launch } from '../process-group.ts';

/** Linux reads this much of a file to find the program that interprets it. */
const headBytes = 256;

/**
 * Whether the system has the program and executes it by itself. If not, a direct start has to report it, or to give the file to
 * a shell as execvp(3) does.
 */
export function isKnownProgram({ file, env }: Pick<Launch, 'file' | 'env'>): boolean {
  const path = file.includes('/') ? file : findInFixed(file, env.PATH ?? '');
  if (path === undefined || !isExecutable(path)) return false;
  const head = readHead(path);
  if (head === undefined) return false;
  if (head.startsWith('\x7fELF')) return true;
  const interpreter = /^#![ \t]*(\/[^\s\0]*)/.exec(head)?.[1];
  return interpreter !== undefined && isExecutable(interpreter);
}

/** Not in a PATH that depends on the folder in which a program starts. */
function findInFixed(file: string, path: string): string | undefined {
  return path.split(':').every((folder) => folder.startsWith('/')) ? findProgram(file, path) : undefined;
}

function readHead(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const buffer = Buffer.alloc(headBytes);
    const read = readSync(descriptor, buffer, 0, headBytes, 0);
    return buffer.toString('latin1', 0, read);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
