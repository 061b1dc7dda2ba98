// Follows docs/guide/pacemaker.md on two hosts, and causes failures: npm run test:pacemaker -- [PART OF A CASE'S NAME]. Needs root.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const program = fileURLToPath(new URL('rounds.ts', import.meta.url));
const [command, ...args] = inOwnNetwork([process.execPath, program, ...process.argv.slice(2)]);
spawn(command, args, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
