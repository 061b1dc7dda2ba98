import { spawn } from 'node:child_process';
import { BootstrapError } from './log.mjs';

const shownLines = 15;
const running = new Set();
let interrupted = 'no';

/**
 * Runs a program to its end and answers its standard output. What it prints is shown only when it fails.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: Record<string, string>, timeoutMs: number }} options
 */
export async function run(argv, { cwd, env, timeoutMs }) {
  if (interrupted === 'yes') throw new BootstrapError('interrupted');
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
  running.add(child);
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    all += text;
  });
  try {
    const { code, signal } = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    if (code === 0) return stdout;
    throw new BootstrapError(`${argv.join(' ')} ended with ${signal ?? `exit code ${code}`}:\n${ends(all)}`);
  } finally {
    running.delete(child);
  }
}

/**
 * Starts nothing more and waits for the programs under way, so that an interrupted bootstrap undoes its changes after apt.
 */
export async function settle() {
  interrupted = 'yes';
  await Promise.all(
    [...running].map(
      (child) => new Promise((resolve) => (child.exitCode === null ? child.on('close', resolve) : resolve())),
    ),
  );
}

// Programs say what is wrong at the beginning (npm, before its usage) or at the end (apt, after its progress).
function ends(text) {
  const lines = text.trim().split('\n');
  if (lines.length <= 2 * shownLines) return lines.join('\n');
  return [...lines.slice(0, shownLines), '...', ...lines.slice(-shownLines)].join('\n');
}
