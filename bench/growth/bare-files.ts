// The least that writing files takes, for bench/growth/renderers.ts to compare with: each is written, flushed to the disk and
// renamed, as many at a time as Node does by itself. argv: the folder and the number of files. Sends the milliseconds to its parent.
import { open, rename } from 'node:fs/promises';

const [folder = '', count = ''] = process.argv.slice(2);
const beganMs = performance.now();
await Promise.all(
  Array.from({ length: Number(count) }, async (_, i) => {
    const file = await open(`${folder}/${i}.new`, 'w');
    await file.writeFile('10.0.0.1:6379\n');
    await file.sync();
    await file.close();
    await rename(`${folder}/${i}.new`, `${folder}/${i}.conf`);
  }),
);
process.send?.(performance.now() - beganMs, () => process.exit());
