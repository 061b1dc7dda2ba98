// Partitions that leave clients with the old master: npm run test:isolation -- [ROUNDS] [--down-after MS]. Fails if a
// paused master acknowledges a write after the promotion.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const { values, positionals } = parseArgs({
  options: { 'down-after': { type: 'string', default: '5000' } },
  allowPositionals: true,
});
const numbers = [positionals[0] ?? '20', values['down-after']];
if (!numbers.every((text) => Number.isSafeInteger(Number(text)) && Number(text) > 0)) {
  console.error('usage: npm run test:isolation -- [ROUNDS] [--down-after MILLISECONDS]');
  process.exit(2);
}
const program = fileURLToPath(new URL('rounds.ts', import.meta.url));
const [command, ...args] = inOwnNetwork([process.execPath, program, ...numbers]);
spawn(command, args, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
