#!/usr/bin/env node
import { runProgram } from './program.ts';

// The reader of the output may stop early (`switchmaster why shard1 | head`): this is no failure. The daemon does not write
// there, so it does not end either.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.argv.includes('run')) return;
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});
// What cannot be reported there ends no command.
process.stderr.on('error', () => undefined);

process.exitCode = await runProgram(process.argv.slice(2));
