import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { Links } from './links.ts';
import { inOwnNetwork } from './namespace.ts';

const scene = fileURLToPath(new URL('links-scene.ts', import.meta.url));

t.test('links of a network of its own are cut and healed', async (t) => {
  const [file, ...args] = inOwnNetwork([process.execPath, scene]);
  const { stdout } = await promisify(execFile)(file, args, { timeout: 30_000 });
  t.strictSame(JSON.parse(stdout), {
    source: '127.9.0.1',
    beforeTheCut: 'answered',
    dropped: 'no answer',
    otherWayCut: 'no answer',
    neighbour: 'answered',
    healed: 'answered, late ones too',
    unreachable: 'EHOSTUNREACH',
    reset: 'ECONNRESET',
    refused: 'ECONNREFUSED',
    dropping: 'no connection',
  });
});

t.test('nothing is cut in the network of the machine', async (t) => {
  await t.rejects(Links.open(), { message: /no network of its own/ });
});
