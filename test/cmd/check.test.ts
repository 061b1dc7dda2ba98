import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from './command.ts';

/** A config of one template, with more settings of it. */
function makeConfig(t: Test, template: string, files: Readonly<Record<string, string>> = {}) {
  const folder = t.testdir({
    'a.cfg.hbs': '{{vars.listen}} {{vars.port}}\n',
    'program.sh': '#!/bin/sh\n',
    etc: {},
    ...files,
    'c.yml': `api: { listen: "127.0.0.1:0" }\ntemplates:\n  - { source: ./a.cfg.hbs, destination: ./etc/a.cfg, ${template} }\n`,
  });
  chmodSync(join(folder, 'program.sh'), 0o644);
  return { folder, config: join(folder, 'c.yml') };
}

const missing: readonly (readonly [string, RegExp])[] = [
  [
    'check: ["no-such-program", "-c"]',
    /templates\[0\]\.check cannot start "no-such-program": there is no such program in PATH/,
  ],
  ['reload: ["no-such-program"]', /templates\[0\]\.reload cannot start "no-such-program"/],
  [
    'reload: ["/no/such/program"]',
    /templates\[0\]\.reload cannot start "\/no\/such\/program": there is no such program \(/,
  ],
  ['reload: { supervise: ["no-such-program"] }', /templates\[0\]\.reload\.supervise cannot start/],
  [
    'reload: { haproxy: { socket: /run/x.sock, fallback: ["no-such-program"] } }',
    /templates\[0\]\.reload\.haproxy\.fallback cannot start/,
  ],
  ['verify: { command: ["no-such-program"] }', /templates\[0\]\.verify\.command cannot start/],
];

for (const [template, expected] of missing) {
  t.test(`a program that cannot be started is found: ${template}`, async (t) => {
    const { config } = makeConfig(t, template);
    const { code, stdout } = await runCommand(['check', '-c', config]);
    t.equal(code, 1);
    t.match(stdout, expected);
    t.notMatch(stdout, /is good/);
    const only = await runCommand(['check', '--config-only', '-c', config]);
    t.match(only, { code: 0, stdout: /The configuration is good\./ });
  });
}

t.test('a program that may not be executed is found', async (t) => {
  const { config, folder } = makeConfig(t, '');
  writeFileSync(
    config,
    `templates: [{ source: ./a.cfg.hbs, destination: ./etc/a.cfg, check: ["${folder}/program.sh"] }]\n`,
  );
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 1);
  t.match(stdout, /templates\[0\]\.check cannot start .*program\.sh: it is not an executable file \(chmod \+x /);
  chmodSync(join(folder, 'program.sh'), 0o755);
  t.equal((await runCommand(['check', '-c', config])).code, 0);
});

t.test('a destination whose folder is missing is found, and nothing is left behind', async (t) => {
  const { config, folder } = makeConfig(t, 'check: ["true"]');
  t.match(await runCommand(['check', '-c', config]), { code: 0, stdout: /is good/ });
  t.same(readdirSync(join(folder, 'etc')), []);
  writeFileSync(config, 'templates: [{ source: ./a.cfg.hbs, destination: ./gone/a.cfg }]\n');
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 1);
  t.match(stdout, /templates\[0\]\.destination cannot be written: .*gone\/a\.cfg.*folder does not exist; create it/);
});

t.test('a file that would not be replaced is named, with the ways to replace or to keep it', async (t) => {
  const { config, folder } = makeConfig(t, 'check: ["true"]');
  const file = join(folder, 'etc/a.cfg');
  writeFileSync(file, 'by hand\n');
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 1);
  t.match(
    stdout,
    /templates\[0\]\.destination is .*a\.cfg, which exists and which switchmaster did not write.*--adopt.*conf\.d/,
  );
  for (const text of ['', '# Written by switchmaster from /x.hbs. Changes here are replaced.\nold\n']) {
    writeFileSync(file, text);
    t.equal((await runCommand(['check', '-c', config])).code, 0, text);
  }
  writeFileSync(file, 'by hand\n');
  writeFileSync(join(folder, 'etc/.a.cfg.switchmaster.json'), '{}');
  t.equal((await runCommand(['check', '-c', config])).code, 0, 'its state');
});

t.test('an owner, a group or a sandbox that this machine does not have cannot work', async (t) => {
  const { config } = makeConfig(t, 'owner: no-such-user, group: no-such-group, sandboxPath: ./none');
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 1);
  t.match(stdout, /The configuration is valid\. 3 things cannot work/);
  t.match(stdout, /templates\[0\]\.owner cannot be set: The user "no-such-user" is not found on this machine/);
  t.match(stdout, /templates\[0\]\.group cannot be set: .*"no-such-group".* \(until then the file keeps its owner\)/);
  t.match(stdout, /templates\[0\]\.sandboxPath is .*none, and there is no such folder/);
  const { config: good } = makeConfig(t, 'owner: root, group: 0, sandboxPath: /etc');
  t.match(await runCommand(['check', '-c', good]), { code: 0, stdout: /is good/ });
});

t.test('a check that reads the former file is a warning, and spaces in {{ file }} are allowed', async (t) => {
  const { config, folder } = makeConfig(t, '');
  const check = async (command: string) => {
    writeFileSync(config, `templates: [{ source: ./a.cfg.hbs, destination: ./etc/a.cfg, check: ${command} }]\n`);
    return (await runCommand(['check', '-c', config])).stdout;
  };
  t.match(
    await check(`["cat", "${folder}/etc/a.cfg"]`),
    /warning: templates\[0\]\.check checks .*former text.*\{\{file\}\}/,
  );
  for (const command of [
    '["cat", "{{file}}"]',
    `["cat", "{{ file }}", "${folder}/etc/a.cfg"]`,
    '["cat", "/etc/hosts"]',
  ])
    t.notMatch(await check(command), /former text/, command);
});

t.test('a setting that no template reads is named with the most similar one', async (t) => {
  const { config, folder } = makeConfig(t, 'vars: { listne: 1, port: 2, zzz: 3 }');
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 0);
  t.match(stdout, `warning: templates[0].vars.listne is not read by ${folder}/a.cfg.hbs (did you mean listen?)`);
  t.match(stdout, /vars\.zzz is not read by .* \(remove it, or correct its name\)/);
  t.notMatch(stdout, /vars\.port /);
  const bundled =
    'templates: [{ source: twemproxy.yml.hbs, destination: ./etc/b.yml, vars: { listne: "127.0.0.1:1" } }]\n';
  writeFileSync(config, bundled);
  t.match((await runCommand(['check', '-c', config])).stdout, /vars\.listne is not read by .*did you mean listen\?/);
});

t.test('check names the files that it read, and what each part will do', async (t) => {
  const folder = t.testdir({
    'a.yml': 'sentinel: { addresses: ["10.0.0.5:26379"], masters: ["shard*"], provision: false }\n',
    'b.yml':
      'api: { listen: "127.0.0.1:0" }\ntemplates: [{ source: app.json.hbs, destination: ./app.cfg, reload: ["true"] }]\n',
    'c.txt': 'x',
  });
  const { code, stdout } = await runCommand(['check', '-c', folder]);
  t.equal(code, 0);
  t.same(stdout.match(/^read .*/gm), [`read ${folder}/a.yml`, `read ${folder}/b.yml`]);
  t.match(stdout, /^sentinel: bridges the masters shard\* from the Sentinels 10\.0\.0\.5:26379 to Consul$/m);
  t.match(stdout, /^template app\.cfg: .*app\.json\.hbs to .*\/app\.cfg, reload by true$/m);
  const { stdout: json } = await runCommand(['check', '--json', '-c', folder]);
  t.match(JSON.parse(json), { valid: true, obstacles: [], read: [/a\.yml$/, /b\.yml$/], parts: [/^consul: /] });
});

t.test('two programs at one port are found', async (t) => {
  const folder = t.testdir({
    'c.yml': 'api: { listen: "127.0.0.1:1" }\nsentinelEndpoint: { listen: "127.0.0.1:1" }\n',
  });
  const { code, stdout } = await runCommand(['check', '-c', folder]);
  t.equal(code, 1);
  t.match(stdout, /cannot work: sentinelEndpoint\.listen is 127\.0\.0\.1:1, and api\.listen is 127\.0\.0\.1:1/);
  t.equal(stdout.match(/two programs cannot listen/g)?.length, 1);
});

t.test('a journal that cannot be written is reported with one hint', async (t) => {
  const { folder, config } = makeConfig(t, 'format: text');
  writeFileSync(config, `${readFileSync(config, 'utf8')}journal: { file: ./etc }\n`);
  const { code, stdout } = await runCommand(['check', '-c', config]);
  t.equal(code, 1);
  const message = `${join(folder, 'etc')} is a folder; name another file`;
  t.match(stdout, `journal.file: ${message} (until it can be written, the journal is kept in memory only)`);
});
