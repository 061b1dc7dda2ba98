import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'consul-bytes' });
const consul = await sandbox.consul();

t.test('a key that is not UTF-8 is reported, its bytes can be read, and the others follow', async (t) => {
  const bytes = Buffer.from([0x66, 0xff, 0xfe, 0x66]);
  const put = await fetch(`${consul.url}/v1/kv/app/bytes`, { method: 'PUT', body: bytes });
  t.ok(put.ok);
  await consul.putKey('app/text', 'pässwörd');
  const folder = makeFolder(t);
  const template =
    '{{keyBase64 "app/bytes"}} {{keyBase64 "app/text"}} {{keyBase64 "none"}}\n{{#each (ls "app")}}{{key}} {{/each}}{{key "app/text"}}\n';
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [{ name: 'out', template, format: 'text' }],
    resyncMs: 60_000,
  });
  const { warnings } = await rendering.until('current');
  const text = readFileSync(join(folder, 'out'), 'utf8');
  t.equal(text, `${bytes.toString('base64')} ${Buffer.from('pässwörd').toString('base64')} \nbytes text pässwörd\n`);
  t.strictSame(warnings, ['The key "app/bytes" does not hold UTF-8 text: read it by keyBase64.']);
});
