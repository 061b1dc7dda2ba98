#!/usr/bin/env node
import { runProgram } from './program.ts';

// Whoever reads the output may stop early (`switchmaster why shard1 | head`): that is no failure of ours, and the
// daemon, which tells nothing there, does not end over it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (!process.argv.includes('run')) process.exit(0);
});

process.exitCode = await runProgram(process.argv.slice(2));
