// Prints the shells of a pool. With `end`, it has nothing more to do then; otherwise it waits to be killed.
import { ShellPool } from '../../../../lib/renderer/apply/shell/pool.ts';
import { untilFull } from './shells.ts';

const pool = new ShellPool({ size: 2, calmMs: 1 });
pool.open();
process.stdout.write(`${JSON.stringify(await untilFull(pool, 2))}\n`);
if (process.argv[2] !== 'end') setInterval(() => undefined, 1_000);
