// A Java client with the JVM's default DNS caches, which finds its master by name in Consul: npm run test:java. Fails if it does
// not write again within the time that a JVM keeps an address, if the name was ever unknown, or if a write is lost.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const program = fileURLToPath(new URL('faults.ts', import.meta.url));
const [command, ...args] = inOwnNetwork(['unshare', '--mount', process.execPath, program]);
spawn(command, args, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));
