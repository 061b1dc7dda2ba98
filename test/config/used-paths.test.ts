import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { compileSource } from '../../lib/renderer/observe/source.ts';

/* Destinations that something else uses: a consumer, the daemon, the next read of the config, the template itself. */

const folder = t.testdir({ 'a.conf.hbs': 'x\n', 'b.conf.hbs': 'x\n' });
const at = (name: string): string => join(folder, name);
symlinkSync('.', at('same'));

async function problemsOf(yaml: string): Promise<readonly string[]> {
  writeFileSync(at('c.yml'), yaml);
  try {
    await loadConfig({ paths: [at('c.yml')], environment: {}, compile: compileSource });
    return [];
  } catch (thrown) {
    const { problems = [] } = SwitchmasterError.from(thrown).details as { problems?: readonly Problem[] };
    return problems.map(
      ({ place, path, message }) => `${place?.line} ${path}: ${message.replaceAll(`${folder}/`, '')}`,
    );
  }
}

t.test('a destination is nothing that the daemon or a consumer uses otherwise', async (t) => {
  const one = (rest: string, destination = 'x.conf') =>
    `templates: [{ source: a.conf.hbs, destination: ${destination}, ${rest} }]\n`;
  const two = (rest: string) =>
    `templates: [{ source: a.conf.hbs, destination: x.conf, ${rest} }, { source: b.conf.hbs, destination: y }]\n`;
  const haproxy = (socket: string) => `reload: { haproxy: { ${socket}, fallback: ["true"] } }`;
  const cases: readonly (readonly [string, RegExp])[] = [
    [one('reload: { signal: SIGHUP, pidFile: x.conf }'), /x\.conf is templates\[0\]\.reload\.pidFile too$/],
    [
      two('reload: { signal: SIGHUP, pidFile: same/y }'),
      /1 templates\[1\].*y is templates\[0\]\.reload\.pidFile too, through a link/,
    ],
    [one(haproxy('socket: x.conf')), /is templates\[0\]\.reload\.haproxy\.socket too/],
    [two(haproxy('socket: s, master: y')), /is templates\[0\]\.reload\.haproxy\.master too/],
    [
      one('reload: { command: ["true"], drain: { socket: same/x.conf, servers: ["a/b"] } }'),
      /is templates\[0\]\.reload\.drain\.socket too/,
    ],
    [
      `${one('mode: "0640"', '/run/consul.sock')}consul: { address: "unix:///run/consul.sock" }\n`,
      /is consul\.address too/,
    ],
    [
      `${one('mode: "0640"', '/run/r.sock')}register: [{ kind: twemproxy, address: /run/r.sock }]\n`,
      /is register\[0\]\.address too/,
    ],
    [one('mode: "0640"', '"a{{file}}"'), /has \{\{, and nothing replaces it/],
    [one('mode: "0640"', '"a\\nb"'), /has a control character/],
  ];
  for (const [yaml, wanted] of cases) t.match((await problemsOf(yaml)).join('\n'), wanted, yaml);
});

t.test('a destination is no config of the folder that is read', async (t) => {
  const config = t.testdir({ real: {} });
  symlinkSync('real', join(config, 'link'));
  const read = async (destination: string) => {
    writeFileSync(join(config, 'real/a.yml'), `templates: [{ contents: x, destination: ${destination} }]\n`);
    return loadConfig({ paths: [join(config, 'link')], environment: {} }).then(
      () => 'good',
      (thrown: Error) => thrown.message,
    );
  };
  for (const name of ['z.yml', 'z.yaml', '../real/z.json', '../link/z.yml', join(config, 'real/z.yml')])
    t.match(await read(name), /templates\[0\]\.destination: .* is in the folder of the config, .* would read it/, name);
  for (const name of ['z.conf', '.z.yml', 'sub/z.yml', '../z.yml']) t.equal(await read(name), 'good', name);
});

t.test('a template does not read its own output', async (t) => {
  for (const text of [
    '{{file "@"}}',
    '{{#if (contains "a" (file "@"))}}a{{/if}}',
    '{{#each (words (file "@"))}}{{this}}{{/each}}',
  ])
    for (const path of [at('x.conf'), at('same/../x.conf'), `${folder}//x.conf`]) {
      const contents = JSON.stringify(text.replace('@', path));
      const yaml = `templates: [{ contents: ${contents}, destination: x.conf }]\n`;
      t.match(
        (await problemsOf(yaml)).join('\n'),
        /templates\[0\]\.contents: .*is the destination of this template/,
        yaml,
      );
    }
  t.strictSame(await problemsOf(`templates: [{ contents: '{{file "${at('y')}"}}', destination: x.conf }]\n`), []);
});
