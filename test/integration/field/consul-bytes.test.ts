import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'consul-bytes' });
const consul = await sandbox.consul();

t.test('a key that is not UTF-8 is reported, its bytes can be read, and the others follow', async (t) => {
  const bytes = Buffer.from([0x66, 0xff, 0xfe, 0x66]);
  const put = await fetch(`${consul.url}/v1/kv/app/bytes`, { method: 'PUT', body: bytes });
  t.ok(put.ok);
  await consul.putKey('app/text', 'pässwörd');
  const folder = makeFolder(t);
  const template =
    '{{keyBase64 "app/bytes"}} {{keyBase64 "app/text"}} {{keyBase64 "none"}}\n{{#each (ls "app/")}}{{key}} {{/each}}{{key "app/text"}}\n';
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

t.test('a file that is missing at first, edited, or swapped with its folder is rendered again', async (t) => {
  const folder = makeFolder(t);
  const at = (name: string) => join(folder, name);
  // As Kubernetes mounts a ConfigMap: `motd` links to `..data/motd`, and `..data` to a folder that is replaced.
  for (const [name, text] of [
    ['..1', 'first'],
    ['..2', 'second'],
  ] as const) {
    mkdirSync(at(name));
    writeFileSync(join(at(name), 'motd'), text);
  }
  symlinkSync('..1', at('..data'));
  symlinkSync('..data/motd', at('motd'));
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [{ name: 'out', template: `{{file "${at('motd')}"}} {{file "${at('later')}"}}\n`, format: 'text' }],
    resyncMs: 60_000,
  });
  const outcome = () => rendering.reports.at(-1)?.outcome;
  await waitFor('the missing file to be reported', outcome, {
    until: (last) => last?.kind === 'failed' && last.error.message.includes(`cannot read the file ${at('later')}`),
  });
  const until = (text: string) =>
    waitFor(`"${text}"`, () => readFileSync(at('out'), 'utf8'), { until: (now) => now === `${text}\n` });
  writeFileSync(at('later'), 'a');
  await until('first a');
  writeFileSync(at('later'), 'b');
  symlinkSync('..2', at('..data.new'));
  renameSync(at('..data.new'), at('..data'));
  await until('second b');
});

t.test('a change of master is followed although a file or a key that the template reads is gone', async (t) => {
  const folder = makeFolder(t);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('own'), 'own');
  const template = `{{#with (redisMaster "shard1")}}{{host}}{{/with}} {{file "${at('own')}"}} {{key "app/limit"}}\n`;
  await consul.putKey('app/limit', '7');
  const specs = [{ name: 'out', template, format: 'text' }] as const;
  const move = (host: string, epoch: number) => putRecord(consul, { name: 'shard1', master: { host, port: 1 }, epoch });
  await move('127.0.0.1', 1);
  const rendering = startRendering(t, { consul, folder, specs, resyncMs: 60_000 });
  const until = (text: string) =>
    waitFor(`"${text}"`, () => readFileSync(at('out'), 'utf8'), { until: (now) => now === `${text} 7\n` });
  await rendering.until('current');
  await until('127.0.0.1 own');
  rmSync(at('own'));
  await move('127.0.0.2', 2);
  await until('127.0.0.2 own');
  mkdirSync(at('own'));
  await move('127.0.0.3', 3);
  await until('127.0.0.3 own');
  await waitFor('a warning', () => rendering.state().warnings.join(), {
    until: (text) => /cannot read the file .*it is a folder.*had before is used/.test(text),
  });
  rmSync(at('own'), { recursive: true });
  writeFileSync(at('own'), 'new');
  await until('127.0.0.3 new');
  await waitFor('no warning', () => rendering.state().warnings, { until: ({ length }) => length === 0 });
  await fetch(`${consul.url}/v1/kv/app/limit`, { method: 'DELETE' });
  await waitFor('a warning about the key', () => rendering.state().warnings.join(), {
    until: (text) => /no key "app\/limit" in Consul any more/.test(text),
  });
  await move('127.0.0.4', 4);
  await until('127.0.0.4 new');
});
