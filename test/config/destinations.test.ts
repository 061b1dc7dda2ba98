// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that shells would replace
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { compileSource } from '../../lib/renderer/observe/source.ts';

/* Paths that cannot be what the config means, and texts that nothing replaces: each is refused at its place. */

const folder = t.testdir();
const at = (name: string): string => join(folder, name);
for (const name of ['a.conf.hbs', 'b.conf.hbs', '_part.hbs', 'real.conf']) writeFileSync(at(name), 'x\n');
writeFileSync(at('broken.conf.hbs'), 'x\n{{#if}}\n');
writeFileSync(at('big'), '');
truncateSync(at('big'), 2_200_000_000);
mkdirSync(at('dir'));
execFileSync('mkfifo', [at('fifo'), at('fifo.hbs')]);
symlinkSync('real.conf', at('link.conf'));
symlinkSync('later.conf', at('dangling.conf'));
symlinkSync('.', at('same'));
symlinkSync('a.conf.hbs', at('source-link.conf'));
for (const name of ['a.conf.hbs', 'real.conf']) linkSync(at(name), at(`hard-${name}`));
writeFileSync(at('token'), 'secret');

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

function templates(...destinations: readonly string[]): string {
  const lines = destinations.map(
    (destination, i) => `  - { source: ${i === 0 ? 'a' : 'b'}.conf.hbs, destination: ${destination} }\n`,
  );
  return `templates:\n${lines.join('')}`;
}

t.test('a destination is no file that the config names, and no other name of one', async (t) => {
  const inPlace = (yaml: string) => yaml.replaceAll(' }', ', inPlace: true }');
  const api = 'api: { tokenFile: token }\n';
  const cases: readonly (readonly [string, RegExp | ''])[] = [
    [templates('c.yml'), /c\.yml is a config file, which it would overwrite/],
    [templates('same/c.yml'), /is a config file/],
    [`${templates('token')}${api}`, /token is a file that the config names, which it would overwrite/],
    [`${templates('same/token')}${api}`, /is a file that the config names/],
    // A rename replaces a name, and leaves the other name of the file as it is.
    [templates('hard-a.conf.hbs'), ''],
    [templates('real.conf', 'hard-real.conf'), ''],
    [inPlace(templates('hard-a.conf.hbs')), /is templates\[0\]\.source, which it would overwrite/],
    [inPlace(templates('real.conf', 'hard-real.conf')), /is templates\[0\]\.destination too/],
  ];
  for (const [yaml, wanted] of cases) t.match((await problemsOf(yaml)).join('\n'), wanted, yaml);
});

t.test('a destination is a file of its own', async (t) => {
  const cases: readonly (readonly [readonly string[], string | RegExp])[] = [
    [['dir'], '2 templates[0].destination: dir is a folder'],
    [['fifo'], '2 templates[0].destination: fifo is a device, a pipe or a socket'],
    [['/dev/zero'], '2 templates[0].destination: /dev/zero is a device, a pipe or a socket'],
    [['a.conf.hbs'], '2 templates[0].destination: a.conf.hbs is templates[0].source, which it would overwrite'],
    [['source-link.conf'], '2 templates[0].destination: source-link.conf is templates[0].source, which it'],
    [['same/a.conf.hbs'], '2 templates[0].destination: same/a.conf.hbs is templates[0].source, which it'],
    [['x.conf', 'a.conf.hbs'], '3 templates[1].destination: a.conf.hbs is templates[0].source, which it'],
    [['_part.hbs'], '2 templates[0].destination: _part.hbs is a partial of templates[0].source'],
    [['x.conf', 'x.conf'], '3 templates[1].destination: is templates[0].destination too: x.conf'],
    [
      ['real.conf', 'link.conf'],
      '3 templates[1].destination: link.conf is templates[0].destination too, through a link',
    ],
    [['link.conf', 'same/real.conf'], '3 templates[1].destination: same/real.conf is templates[0].destination too'],
    [['later.conf', 'same/later.conf'], '3 templates[1].destination: same/later.conf is templates[0].destination too'],
    [['x'.repeat(219)], /the file name of x+ has 219 bytes, and files beside it have longer names/],
    [['.x.conf.switchmaster.json'], '2 templates[0].destination: .x.conf.switchmaster.json has a name that'],
    [['.x.conf.switchmaster.good'], '2 templates[0].destination: .x.conf.switchmaster.good has a name that'],
  ];
  for (const [destinations, wanted] of cases)
    t.match((await problemsOf(templates(...destinations))).join('\n'), wanted, destinations.join(' '));
  t.match(await problemsOf(`${templates('real.conf')}journal: { file: same/real.conf }\n`), [/is journal\.file too/]);
  for (const destination of [
    'x.conf',
    'link.conf',
    'dangling.conf',
    'dir/x.conf',
    'x.switchmaster.conf',
    'x'.repeat(218),
  ])
    t.strictSame(await problemsOf(templates(destination)), [], destination);
});

t.test('templates that do not compile are reported with the problems of the config, at their line', async (t) => {
  const problems = await problemsOf(
    'log: { colour: red }\ntemplates:\n  - { source: broken.conf.hbs, destination: x }\n  - { source: fifo.hbs, destination: y }\n',
  );
  t.match(problems, [
    /^1 log\.colour: unknown key/,
    /^3 templates\[0\]\.source: broken\.conf\.hbs:3:/,
    /^4 templates\[1\]\.source: Cannot read the template fifo\.hbs: it is a pipe or a device/,
  ]);
});

t.test('listeners of one bundled template that share an address are reported', async (t) => {
  const problemsWith = (source: string, vars: string) =>
    problemsOf(`templates:\n  - source: ${source}.hbs\n    destination: x\n    vars: ${vars}\n`);
  const shared = '{ ports: { shard1: 16379, shard2: 16379 } }';
  t.match(await problemsWith('haproxy.cfg', shared), [
    /^4 templates\[0\]\.vars: vars\.ports gives port 16379 to "shard2"/,
  ]);
  t.match(await problemsWith('twemproxy-stable.yml', shared), [/gives port 16379 to "shard2"/]);
  t.match(await problemsWith('haproxy.cfg', '{ twemproxy_bind: "*:1", ports: { a: 1 } }'), [/gives port 1 to "a"/]);
  const pools = '{ pools: { a: { listen: "127.0.0.1:1" }, b: { listen: "0.0.0.0:1" } } }';
  t.match(await problemsWith('twemproxy.yml', pools), [/the pools "a" and "b" both listen/]);
  t.strictSame(await problemsWith('haproxy.cfg', '{ ports: { shard1: 16379, shard2: 16380 } }'), []);
});

t.test('pipes, devices, folders and large files are refused at once, wherever a file is read', async (t) => {
  const keys: Readonly<Record<string, (file: string) => string>> = {
    'api.tokenFile': (file) => `api: { tokenFile: ${file} }\n`,
    'consul.tokenFile': (file) => `consul: { tokenFile: ${file} }\n`,
    'consul.tls.caFile': (file) => `consul: { address: "https://c", tls: { caFile: ${file} } }\n`,
    'sentinel.passwordFile': (file) => `sentinel: { passwordFile: ${file} }\n`,
    'templates[0].source': (file) => `templates: [{ source: ${file}, destination: x }]\n`,
  };
  for (const [key, write] of Object.entries(keys)) {
    const message = async (file: string) => (await problemsOf(write(file))).join('\n');
    for (const file of ['fifo', '/dev/zero']) t.match(await message(file), `${key}: `, `${key} ${file}`);
    t.match(await message('fifo'), 'it is a pipe or a device, not a file');
    t.match(await message('/dev/zero'), 'it is a pipe or a device, not a file');
    t.match(await message('dir'), 'it is a folder');
    t.match(await message('big'), /it is larger than \d+ bytes/);
  }
  t.match(await problemsOf(`sentinel: { tls: { caPath: . } }\n`), [/caPath: cannot read/]);
});

t.test('nothing replaces variables in the config', async (t) => {
  for (const [yaml, key] of [
    ['consul: { address: "${CONSUL_ADDR}" }', 'consul.address'],
    ['consul: { address: "http://${HOST:-x}:8500" }', 'consul.address'],
    ['consul: { address: $CONSUL_ADDR }', 'consul.address'],
    ['sentinel: { addresses: ["10.0.0.1:1", "${HOST}:26379"] }', 'sentinel.addresses[1]'],
    ['environment: "${ENV}"', 'environment'],
    ['register: [{ kind: redis, address: "${IP}:6379" }]', 'register[0].address'],
    ['api: { tokenFile: ~/token }', 'api.tokenFile'],
    ['templates: [{ source: a.conf.hbs, destination: "${DIR}/x.conf" }]', 'templates[0].destination'],
    ['templates: [{ source: a.conf.hbs, destination: "~/x.conf" }]', 'templates[0].destination'],
    ['templates: [{ source: a.conf.hbs, destination: x, owner: $USER }]', 'templates[0].owner'],
  ] as const)
    t.match(
      (await problemsOf(`${yaml}\n`)).join('\n'),
      new RegExp(`1 ${key.replace(/[[\].]/g, '\\$&')}: \\S+ is not replaced`),
      yaml,
    );
  for (const yaml of [
    'templates: [{ source: a.conf.hbs, destination: x, vars: { home: "${HOME}" } }]',
    'templates: [{ source: a.conf.hbs, destination: x, check: [sh, -c, "test -n ${HOME}"] }]',
    'templates: [{ source: a.conf.hbs, destination: x, reload: { command: [sh, -c, "$HOME/reload"] } }]',
    'templates: [{ source: a.conf.hbs, destination: x, verify: { command: [sh, -c, "${HOME}/ok"] } }]',
    'templates: [{ source: a.conf.hbs, destination: "x$1~.conf" }]',
  ])
    t.strictSame(await problemsOf(`${yaml}\n`), [], yaml);
});

t.test('a backup has a place of its own', async (t) => {
  const backup = (other: string) =>
    `templates:\n  - { source: a.conf.hbs, destination: out, backup: true }\n  - ${other}\n`;
  const expected = (owner: string) => [`2 templates[0].backup: would replace out.bak, which is ${owner}`];
  const other = '{ source: b.conf.hbs, destination: out.bak }';
  t.strictSame(await problemsOf(backup(other)), expected('templates[1].destination'));
  t.strictSame(
    await problemsOf(`${backup('{ source: b.conf.hbs, destination: out2 }')}journal: { file: out.bak }\n`),
    expected('journal.file'),
  );
  t.strictSame(await problemsOf(backup('{ source: b.conf.hbs, destination: out2.bak }')), []);
  const seed = backup('{ source: b.conf.hbs, destination: out2, seed: true, backup: true }');
  t.strictSame(await problemsOf(seed), ['3 templates[1].backup: cannot be combined with seed: true']);
});

t.test('the pid file of the daemon is no destination, and not the pid file of a consumer', async (t) => {
  const signalled =
    'templates:\n  - { source: a.conf.hbs, destination: out, reload: { signal: SIGHUP, pidFile: x.pid } }\n';
  const message = '2 templates[0].reload.pidFile: x.pid has the process id of switchmaster itself';
  t.strictSame(await problemsOf(`${signalled}pidFile: x.pid\n`), [message]);
  t.strictSame(await problemsOf(`${signalled}pidFile: y.pid\n`), []);
  t.match(await problemsOf(`${templates('real.conf')}pidFile: same/real.conf\n`), [/is pidFile too/]);
});
