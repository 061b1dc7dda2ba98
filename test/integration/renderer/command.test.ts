import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { diffLines } from '../../../cmd/text-diff.ts';
import { runCommand } from '../../cmd/command.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'render-command' });
const consul = await sandbox.consul();
async function run(...argv: string[]) {
  const { code, stdout, stderr } = await runCommand(['render', ...argv]);
  return { code, output: `${stderr}${stdout}` };
}

t.test('renders once, shows what would change, and changes nothing with --dry-run', async (t) => {
  await consul.putKey('a', '1');
  const folder = t.testdir({
    'a.conf.hbs': 'head\na {{key "a"}}\n',
    'c.yml': `consul: { address: "${consul.url}" }\ntemplates:\n  - { source: ./a.conf.hbs, destination: ./a.conf, header: false }\n`,
  });
  const [config, destination] = [join(folder, 'c.yml'), join(folder, 'a.conf')];
  const dry = await run('-c', config, '--dry-run');
  t.same(dry, { code: 0, output: `would-change ${destination}\nhead\na 1\n` });
  t.notOk(existsSync(destination));
  t.match(await run('-c', config, '--once'), { code: 0, output: /^written .*a\.conf: .* was replaced\.\n$/ });
  t.equal(readFileSync(destination, 'utf8'), 'head\na 1\n');
  t.same(await run('-c', config), { code: 0, output: `unchanged ${destination}\n` });
  await consul.putKey('a', '2');
  const diff = await run('-c', config, '--dry-run', '--diff');
  t.same(diff, { code: 0, output: `would-change ${destination}\n head\n-a 1\n+a 2\n` });
  t.match(await run('-c', config, '--dry-run', '--json').then(({ output }) => JSON.parse(output)), {
    templates: [{ name: 'a.conf', result: 'would-change', text: 'head\na 2\n', before: 'head\na 1\n' }],
  });
  t.same(readdirSync(folder).sort(), ['.a.conf.switchmaster.json', 'a.conf', 'a.conf.hbs', 'c.yml']);
});

t.test('a template that fails, or gets no answer, is exit code 1 with its reason', async (t) => {
  const folder = t.testdir({
    'a.conf.hbs': '{{key "no/such"}}',
    'c.yml': `consul: { address: "${consul.url}" }\ntemplates:\n  - { source: ./a.conf.hbs, destination: ./a.conf, header: false }\n`,
    'd.yml':
      'consul: { address: "http://127.0.0.1:1" }\ntemplates:\n  - { source: ./a.conf.hbs, destination: ./a.conf, header: false }\n',
  });
  t.match(await run('-c', join(folder, 'c.yml')), { code: 1, output: /^failed .*there is no key "no\/such"/ });
  const vain = await run('-c', join(folder, 'd.yml'), '--timeout', '0.3');
  t.match(vain, { code: 1, output: /^failed .*Timed out\. Waits for key\(no\/such\)\. Consul does not answer/ });
  t.match(await run('-c', join(folder, 'c.yml'), '-t', 'x'), {
    code: 1,
    output: /There is no template x \(known: a\.conf\)/,
  });
});

t.test('a render that the daemon would hold is printed and exits with 1, also with --dry-run', async (t) => {
  const folder = t.testdir({
    'a.conf.hbs': 'head\n{{#each redisMasters}}{{address}}\n{{/each}}',
    'c.yml': `consul: { address: "${consul.url}" }\ntemplates:\n  - { source: ./a.conf.hbs, destination: ./a.conf, header: false }\n`,
  });
  const [config, destination] = [join(folder, 'c.yml'), join(folder, 'a.conf')];
  const held = `held ${destination}: ${destination} stays as it is. Consul holds no record of any master.\n`;
  t.same(await run('-c', config, '--dry-run'), { code: 1, output: `${held}head\n` });
  t.same(await run('-c', config, '--dry-run', '--diff'), { code: 1, output: `${held}+head\n` });
  t.match(await run('-c', config), { code: 1, output: held });
  t.notOk(existsSync(destination));
});

t.test(
  'a template in the config is written to a new folder, and its programs get the environment that it says',
  async (t) => {
    await consul.putKey('contents', 'one');
    const folder = t.testdir({});
    const log = join(folder, 'log');
    const note = `test -r "$1" && env > ${log}`;
    const config = {
      consul: { address: consul.url },
      templates: [
        {
          contents: 'is {{key "contents"}}\n',
          destination: './new/folder/a.conf',
          createDestDirs: true,
          header: false,
          reload: ['sh', '-c', note, 'sh', '{{file}}'],
          exec: { env: { allowlist: ['KEPT*', 'CONSUL_*'], custom: { GREETING: 'hello' } } },
        },
      ],
    };
    const path = join(folder, 'c.json');
    writeFileSync(path, JSON.stringify(config));
    const given = { KEPT_1: '1', OTHER: '1', CONSUL_HTTP_TOKEN: 'secret' };
    const { code, stdout } = await runCommand(['render', '-c', path], given);
    t.equal(code, 0);
    t.match(stdout, /^written .*a\.conf was replaced and its consumer reloaded/);
    t.equal(readFileSync(join(folder, 'new/folder/a.conf'), 'utf8'), 'is one\n');
    const names = readFileSync(log, 'utf8').match(/^\w+(?==)/gm) ?? [];
    t.strictSame(names.filter((name) => !['PWD', 'SHLVL', '_'].includes(name)).sort(), ['GREETING', 'KEPT_1']);
  },
);

t.test('a comparison shows what changed and the lines around it', async (t) => {
  const show = (before: string, after: string) => diffLines(before, after).map(({ side, text }) => side + text);
  t.same(show('1\n2\n3\n4\n5\n6\n', '1\n2\n3\n4\nx\n6\n'), [' 2', ' 3', ' 4', '-5', '+x', ' 6']);
  t.same(show('', 'a\n'), ['+a']);
  t.same(show('a\nb\nc\n', 'b\nc\nd\n'), ['-a', ' b', ' c', '+d']);
  t.same(show('a\n', 'a\n'), []);
});

const byHand = 'global\n  # a web site\nfrontend www\n';

/** A config of one template, and a file in the place of its destination. */
function makeTakeover(t: Test, more = '') {
  const folder = t.testdir({
    'a.cfg.hbs': 'global\n{{#with (key "takeover")}}# {{this}}\n{{/with}}',
    'a.cfg': byHand,
    'c.yml': `consul: { address: "${consul.url}" }\ntemplates:\n  - { source: ./a.cfg.hbs, destination: ./a.cfg${more} }\n`,
  });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const kept = () => readdirSync(folder).filter((name) => name.startsWith('a.cfg.before-switchmaster-'));
  return { folder, config: join(folder, 'c.yml'), read, kept };
}

t.test('a file that switchmaster did not write stays, with the difference and what to type', async (t) => {
  await consul.putKey('takeover', 'one');
  const { config, read, kept, folder } = makeTakeover(t);
  for (const more of [[], ['--dry-run', '--diff']]) {
    const { code, output } = await run('-c', config, ...more);
    t.equal(code, 1);
    t.match(output, /^held .*a\.cfg stays as it is\. .*did not write it.*--adopt.*adopt: true.*conf\.d/);
    t.match(output, /^\+# one$/m);
    t.match(output, /^-frontend www$/m);
  }
  t.equal(read('a.cfg'), byHand);
  t.same(kept(), []);
  t.same(readdirSync(folder).sort(), ['a.cfg', 'a.cfg.hbs', 'c.yml']);
});

t.test('--adopt and adopt: true replace it and keep it aside for ever', async (t) => {
  for (const [flags, more] of [
    [['--adopt'], ''],
    [[], ', adopt: true'],
  ] as const) {
    await consul.putKey('takeover', 'one');
    const { config, read, kept } = makeTakeover(t, more);
    t.match(await run('-c', config, ...flags), {
      code: 0,
      output: /^written .*kept as .*a\.cfg\.before-switchmaster-\d{8}T\d{6}Z/,
    });
    const head = /^# Written by switchmaster from \/.*\/a\.cfg\.hbs\. Changes here are replaced\.\n/;
    t.match(read('a.cfg'), head);
    t.equal(read('a.cfg').replace(head, ''), 'global\n# one\n');
    t.same(kept().map(read), [byHand]);
    // From then on the file is the daemon's own, by hand edits as well, and nothing more is kept.
    await consul.putKey('takeover', 'two');
    writeFileSync(join(config, '../a.cfg'), 'edited\n');
    t.match(await run('-c', config), { code: 0, output: /^written / });
    t.match(read('a.cfg'), /\n# two\n$/);
    t.same(kept().map(read), [byHand]);
  }
});

t.test('a daemon that holds such a file follows when somebody replaces it', async (t) => {
  await consul.putKey('takeover', 'one');
  const folder = makeFolder(t);
  const file = join(folder, 'a.cfg');
  writeFileSync(file, byHand);
  const specs = [{ name: 'a.cfg', template: '# {{key "takeover"}}\n', takeover: 'refuse' }] as const;
  const renderer = startRendering(t, { consul, folder, specs, resyncMs: 600_000 });
  await renderer.until('held');
  writeFileSync(file, '# one\n');
  await renderer.until('current');
});

t.test('a file counts as its own by its head, its state, its content, or where it is empty', async (t) => {
  await consul.putKey('takeover', 'one');
  const { config, read, kept, folder } = makeTakeover(t);
  const set = (text: string) => {
    for (const name of readdirSync(folder)) if (name.startsWith('.')) rmSync(join(folder, name));
    writeFileSync(join(folder, 'a.cfg'), text);
  };
  set('\n');
  t.match(await run('-c', config), { code: 0, output: /^written / });
  const head = read('a.cfg').split('\n')[0];
  set(`${head}\nolder\n`);
  t.match(await run('-c', config), { code: 0, output: /^written / });
  // As an older version has written it: a consumer is not reloaded for a head.
  set('global\n# one\n');
  t.match(await run('-c', config), { code: 0, output: /^unchanged / });
  t.equal(read('a.cfg'), 'global\n# one\n');
  await consul.putKey('takeover', 'two');
  t.match(await run('-c', config), { code: 0, output: /^written / });
  set('older\n');
  writeFileSync(join(folder, '.a.cfg.switchmaster.json'), 'damaged');
  t.match(await run('-c', config), { code: 0, output: /^written / });
  t.same(kept(), []);
});
