import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { blocksOf, projectDir, readPage } from './pages.ts';

// test/integration/endpoint/clients.test.ts runs the Node programs; `npm run test:clients` runs all of them.
const programs = [
  'ioredis/client.mjs',
  'node-redis/client.mjs',
  'redis-py/client.py',
  'celery/client.py',
  'redis-rb/client.rb',
  'predis/client.php',
  'go/goredis.go',
  'go/rueidis.go',
];

t.test('the snippets for clients are the code that the tests run', async (t) => {
  const all = blocksOf(await readPage('docs/guide/sentinel-clients.md'));
  // The others are how to try one of them.
  const blocks = all.filter(
    ({ language, content }) => language !== 'sh' && language !== 'text' && !content.includes('./client.mjs'),
  );
  t.equal(blocks.length, programs.length);
  for (const [i, program] of programs.entries()) {
    const code = readFileSync(join(projectDir, 'test/clients', program), 'utf8');
    const shown = blocks[i]?.content ?? '';
    t.ok(shown.length > 0 && code.endsWith(shown), program);
  }
});
