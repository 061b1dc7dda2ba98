import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

/* Secrets in the wrong place or form: refused, and never shown. */

async function problemsOf(file: string, environment: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  try {
    await loadConfig({ paths: [file], environment });
    return [];
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    const { problems = [] } = error.details as { problems?: readonly Problem[] };
    return problems.map(({ path, message, hint }) => `${path}: ${message} ${hint} ${error.message}`);
  }
}

t.test('a token that no request can carry is refused, and not shown', async (t) => {
  const folder = t.testdir({
    words: 'two words\n',
    lines: 'two\nlines\n',
    umlaut: 'gehe\u00efm',
    nul: 'a\0b',
    long: 'a'.repeat(5000),
  });
  const file = path.join(folder, 'config.yml');
  for (const [yaml, wanted] of [
    ...['words', 'lines', 'umlaut', 'nul', 'long'].map(
      (name) => [`api: { tokenFile: ${name} }`, /api\.tokenFile: no request can carry .*one word/] as const,
    ),
    ...['lines', 'umlaut', 'nul', 'long'].map(
      (name) => [`consul: { tokenFile: ${name} }`, /consul\.tokenFile: no request can carry .*one line/] as const,
    ),
  ]) {
    await writeFile(file, `${yaml}\n`);
    const found = await problemsOf(file);
    t.match(found, [wanted], yaml);
    t.notMatch(found.join(''), /two|gehe|aaa/, yaml);
  }
  await writeFile(file, '{}');
  t.match(await problemsOf(file, { CONSUL_HTTP_TOKEN: 'a\nb' }), [/CONSUL_HTTP_TOKEN: no request can carry/]);
  t.match(await problemsOf(file, { SWITCHMASTER_API_TOKEN: 'a b' }), [/SWITCHMASTER_API_TOKEN: no request can carry/]);
});

t.test('a password in an address is refused, and not shown', async (t) => {
  const file = path.join(t.testdir({}), 'config.yml');
  for (const yaml of [
    'consul: { address: "http://user:sEcret@h:1" }',
    'consul: { address: "user:sEcret@h:1" }',
    'sentinel: { addresses: ["redis://:sEcret@h:1", "u:sEcret@h:1"] }',
    'register: [{ kind: redis, name: a, address: "u:sEcret@h:1" }]',
    'cluster: [{ name: a, seeds: ["u:sEcret@h:1"] }]',
    'api: { listen: "u:sEcret@h:1" }',
    'templates: [{ contents: x, destination: x, verify: { http: "http://u:sEcret@h:1" } }]',
    'templates: [{ contents: x, destination: x, verify: { redis: "u:sEcret@h:1" } }]',
  ]) {
    await writeFile(file, `${yaml}\n`);
    const found = (await problemsOf(file)).join('\n');
    t.match(found, /./, yaml);
    t.notMatch(found, 'sEcret', yaml);
  }
  await writeFile(file, '{}');
  t.notMatch((await problemsOf(file, { CONSUL_HTTP_ADDR: 'u:sEcret@h:1' })).join(''), 'sEcret');
});
