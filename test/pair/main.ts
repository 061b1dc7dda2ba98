// The failures of a pair of load balancers, and how long the application waits in each: npm run test:pair -- [PART OF A CASE'S NAME].
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const program = fileURLToPath(new URL('rounds.ts', import.meta.url));
const [command, ...args] = inOwnNetwork([process.execPath, program, ...process.argv.slice(2)]);
spawn(command, args, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
