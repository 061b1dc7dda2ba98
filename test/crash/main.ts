// Crashes, and events that only look like one: npm run test:crash -- [ROUNDS] [--kind sentinel|cluster] [--crashes N]
// [--seed S]. Fails if a bridge orders a failover of a master that did not crash, or orders none of one that did.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const { values, positionals } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    crashes: { type: 'string', default: '6' },
    kind: { type: 'string', default: 'sentinel' },
  },
  allowPositionals: true,
});
const numbers = [values.seed, positionals[0] ?? '100', values.crashes];
const isKind = values.kind === 'sentinel' || values.kind === 'cluster';
if (!isKind || !numbers.every((text) => Number.isSafeInteger(Number(text)) && Number(text) >= 0)) {
  console.error('usage: npm run test:crash -- [ROUNDS] [--kind sentinel|cluster] [--crashes NUMBER] [--seed NUMBER]');
  process.exit(2);
}
process.stdout.write(`seed ${values.seed}\n`);
const program = fileURLToPath(new URL('rounds.ts', import.meta.url));
const [command, ...args] = inOwnNetwork([process.execPath, program, values.kind, ...numbers]);
spawn(command, args, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
