import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import type { TemplateSpec } from '../../lib/model/template-spec.ts';
import { addHead, computeDigest, digestOf, hasHead, textWithoutHead, withoutHead } from '../../lib/renderer/head.ts';

const base = { upkeep: 'kept', header: 'line' } as const;
const head = '# Written by switchmaster from /etc/t/x.hbs. Changes here are replaced.\n';

function makeSpec(destination: string, over: Partial<TemplateSpec> = {}) {
  return { ...base, source: '/etc/t/x.hbs', destination, ...over };
}

const withHead: readonly (readonly [string, Parameters<typeof makeSpec>[1]?])[] = [
  ['/etc/haproxy.cfg'],
  ['/etc/twemproxy.yml'],
  ['/etc/app.env'],
  ['/etc/redis.conf'],
  ['/etc/nginx.conf'],
  ['/etc/unknown', { format: 'conf' }],
];

for (const [destination, over] of withHead) {
  t.test(`${destination} has a head`, async (t) => {
    const text = addHead('a: 1\n', makeSpec(destination, over));
    t.equal(text, `${head}a: 1\n`);
    t.ok(hasHead(Buffer.from(text)));
    t.equal(textWithoutHead(text), 'a: 1\n');
    t.equal(withoutHead(Buffer.from(text)).toString(), 'a: 1\n');
  });
}

const withoutAny: readonly (readonly [string, string, Parameters<typeof makeSpec>[1]?])[] = [
  ['JSON', '/etc/app.json'],
  ['a text of unknown syntax', '/etc/app.xml'],
  ['a name without an ending', '/etc/app'],
  ['the format text', '/etc/app.cfg', { format: 'text' }],
  ['header: false', '/etc/app.cfg', { header: 'none' }],
];

for (const [name, destination, over] of withoutAny) {
  t.test(`${name} has no head`, async (t) => {
    t.equal(addHead('{}\n', makeSpec(destination, over)), '{}\n');
  });
}

t.test('markup, a byte order mark and an empty text have no head', async (t) => {
  for (const text of ['<?xml version="1.0"?>\n', '\uFEFFa: 1\n', '', '\n']) {
    t.equal(addHead(text, makeSpec('/etc/app.conf')), text);
  }
});

t.test('the head follows a line that names an interpreter', async (t) => {
  const text = addHead('#!/bin/sh\necho\n', makeSpec('/etc/x.env'));
  t.equal(text, `#!/bin/sh\n${head}echo\n`);
  t.equal(withoutHead(Buffer.from(text)).toString(), '#!/bin/sh\necho\n');
  t.equal(addHead('#!/bin/sh', makeSpec('/etc/x.env')), '#!/bin/sh');
});

t.test('the head names a bundled template by its name, and a seed as written once', async (t) => {
  const source = join(import.meta.dirname, '../../templates/sentinel.conf.hbs');
  const text = addHead('port 1\n', makeSpec('/etc/sentinel.conf', { source, upkeep: 'seed' }));
  t.equal(text, '# Written once by switchmaster from the bundled sentinel.conf.hbs.\nport 1\n');
});

t.test('a path cannot begin a line of the file', async (t) => {
  const text = addHead('a\n', makeSpec('/etc/x.cfg', { source: '/etc/a\nuser root\r.hbs' }));
  t.equal(text.split('\n').length, 3);
  t.notMatch(text, /^user/m);
});

t.test('a file of somebody else has no head', async (t) => {
  for (const text of ['', 'global\n', '# Written by hand\n', `global\n${head}`, '# Written by switchmaster']) {
    t.notOk(hasHead(Buffer.from(text)), text);
    t.equal(textWithoutHead(text), text);
  }
});

t.test('bytes that are no text stay as they are', async (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
  t.same(withoutHead(Buffer.concat([Buffer.from(head), bytes])), bytes);
});

t.test('the digest of a large file is that of a small one', async (t) => {
  for (const size of [1, 4 * 1024 * 1024]) {
    const text = 'a: 1\n'.repeat(size / 4);
    const sha256 = createHash('sha256').update(text).digest('hex');
    const bytes = Buffer.from(`${head}${text}`);
    t.equal(digestOf(bytes), sha256);
    t.equal(await computeDigest(bytes), sha256);
    t.equal(digestOf(bytes), sha256);
  }
});
