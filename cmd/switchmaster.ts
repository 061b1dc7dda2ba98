#!/usr/bin/env node
// First: it ends the process where Node.js is too old for the rest.
import './node-version.ts';
import { holdSignals } from './early-signals.ts';

const isDaemon = process.argv.includes('run');
if (isDaemon) holdSignals();
// If the reader of the output stops early (`switchmaster why shard1 | head`), that is no failure. It does not end the daemon,
// which writes nothing there.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isDaemon) return;
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});
// A command continues if standard error is closed.
process.stderr.on('error', () => undefined);

// Everything else loads after that. An old Node.js cannot parse `await` here.
import('./program.ts')
  .then(({ runProgram }) => runProgram(process.argv.slice(2)))
  .then(async (exitCode) => {
    process.exitCode = exitCode;
    const { isAnyHanging } = await import('../lib/file-system.ts');
    // A call that never returns would keep the process.
    if (isAnyHanging()) process.stdout.write('', () => process.exit());
  });
