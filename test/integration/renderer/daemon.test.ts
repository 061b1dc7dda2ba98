import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { readReloads } from '../../sandbox/haproxy-master.ts';
import { accepts } from '../../sandbox/proxy.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { mostAtOnce } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'render-daemon' });
const consul = await sandbox.consul();

t.test('two daemons with rolling reload one after the other', async (t) => {
  await consul.putKey('setting', '0');
  const log = join(sandbox.folder, 'reloads');
  const source = sandbox.write('rolling.conf.hbs', '{{key "setting"}}\n');
  const destinations = ['one', 'two'].map((name) => sandbox.path(`${name}.conf`));
  const daemons = await Promise.all(
    destinations.map((destination, n) =>
      sandbox.switchmaster({
        name: `rolling-${n}`,
        config: {
          consul: { address: consul.url },
          templates: [
            {
              source,
              destination,
              reload: { command: ['/bin/sh', '-c', `echo + >> ${log}; sleep 0.3; echo - >> ${log}`] },
              rolling: { limit: 1, group: 'fleet' },
            },
          ],
        },
      }),
    ),
  );
  await consul.putKey('setting', '1');
  const states = new Set<string>();
  // Both are looked at each time: whoever waits does so only while the other reloads.
  await waitFor(
    'both daemons to have reloaded',
    async () => {
      const answers = await Promise.all(
        daemons.map((daemon, n) => daemon.get(`/v1/templates/${n === 0 ? 'one' : 'two'}.conf`)),
      );
      const now = answers.map(({ body }) => (body as { state: string }).state);
      for (const state of now) states.add(state);
      const written = destinations.every((destination) => readFileSync(destination, 'utf8') === '1\n');
      return written && now.every((state) => state === 'current');
    },
    { intervalMs: 5, until: (done) => done },
  );
  t.equal(readFileSync(log, 'utf8').match(/\+/g)?.length, 4);
  t.equal(mostAtOnce(readFileSync(log, 'utf8')), 1);
  t.ok(states.has('queued'), 'one of them was seen to wait');
  await waitFor('the last one to leave', () => consul.key('redis/rolling/fleet/.holders'), {
    until: (holders) => holders === '[]',
  });
  await Promise.all(daemons.map((daemon) => daemon.stop()));
});

t.test('a supervised program is told of in the log, and ends with the daemon', async (t) => {
  await consul.putKey('greeting', 'hello');
  const program = 'echo "says $(cat {{file}})"; exec sleep 1000';
  const daemon = await sandbox.switchmaster({
    name: 'supervising',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('program.conf.hbs', '{{key "greeting"}}\n'),
          destination: sandbox.path('program.conf'),
          reload: { supervise: ['/bin/sh', '-c', program] },
        },
      ],
    },
  });
  const told = (msg: string) => daemon.logLines().filter((line) => line.msg === msg);
  const said = (line: string) =>
    waitFor(`the program to say ${line}`, () => told('program output').some((entry) => entry.line === line));
  await said('says hello');
  t.match(told('program started'), [{ part: 'renderer', template: 'program.conf', pid: Number }]);
  await consul.putKey('greeting', 'bye');
  await said('says bye');
  const pid = Number(told('program started').at(-1)?.pid);
  process.kill(pid, 'SIGKILL');
  await waitFor('another start', () => told('program started').length === 3);
  t.match(told('program ended').at(-1), { level: 'warn', how: 'died of SIGKILL', restartMs: Number });
  const last = Number(told('program started').at(-1)?.pid);
  t.ok(existsSync(`/proc/${last}`));
  await daemon.stop();
  t.notOk(existsSync(`/proc/${last}`));
});

t.test(
  'signals that the daemon has no use for reach the HAProxy that it keeps, and its end takes the workers too',
  async (t) => {
    const [listen, master] = [await sandbox.address(), sandbox.path('kept-master.sock')];
    await consul.putKey('maxconn', '100');
    const text = `defaults
  mode tcp
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen kept
  maxconn {{key "maxconn"}}
  bind ${listen.host}:${listen.port}
  server s1 127.0.0.1:9
`;
    const daemon = await sandbox.switchmaster({
      name: 'keeping',
      config: {
        consul: { address: consul.url },
        templates: [
          {
            source: sandbox.write('kept.cfg.hbs', text),
            destination: sandbox.path('kept.cfg'),
            reload: {
              supervise: {
                command: ['haproxy', '-W', '-S', master, '-f', '{{file}}'],
                onChange: 'SIGUSR2',
                stopSignal: 'SIGUSR1',
                stopTimeout: '5s',
              },
            },
            verify: { tcp: `${listen.host}:${listen.port}` },
          },
        ],
      },
    });
    const reloads = (count: number) =>
      waitFor(`HAProxy to have reloaded ${count} times`, () => readReloads(master), {
        until: ({ done }) => done === count,
      });
    const told = (msg: string) => daemon.logLines().filter((line) => line.msg === msg);
    await reloads(0);
    await daemon.kill('SIGUSR2');
    await reloads(1);
    const pid = Number(told('program started')[0]?.pid);
    t.match(told('signal forwarded'), [{ template: 'kept.cfg', pid, signal: 'SIGUSR2' }]);
    await daemon.kill('SIGWINCH');
    await waitFor('SIGWINCH to be told of', () => told('signal forwarded').length === 2);
    await consul.putKey('maxconn', '200');
    await reloads(2);
    t.ok(await accepts(listen), 'it serves as before');
    await daemon.stop();
    t.equal(told('program started').length, 1, 'one process all the time');
    t.match(told('program ended'), [{ level: 'info', how: 'exited with 0' }]);
    t.notOk(await accepts(listen));
  },
);

t.test('nothing that is told holds a secret that templates read or that the config has', async (t) => {
  const [ofFile, ofVariable, ofConfig, token] = ['S3cret-file', 'S3cret-variable', 'S3cret-config', 'S3cret-token'];
  const journal = sandbox.path('secrets.journal');
  const passwordFile = sandbox.write('secret.password', `${ofFile}\n`);
  const configFile = sandbox.write('secret.of-config', `${ofConfig}\n`);
  const template = (name: string, text: string, more: object = {}) => ({
    source: sandbox.write(`${name}.hbs`, text),
    destination: sandbox.path(name),
    ...more,
  });
  const password = `{{trim (file "${passwordFile}")}}`;
  const printing = (exit: number) => ['/bin/sh', '-c', `cat "$0" ${configFile}; exit ${exit}`, '{{file}}'];
  await consul.putKey('secret/weight', '7');
  const failing = [
    template('refused.conf', `requirepass {{file "${passwordFile}"}}\n`),
    template('parsed.conf', '{{#with (parseJSON (env "SECRET_VARIABLE"))}}{{a}}{{/with}}\n'),
    template('broken.json', `{"a": "${password}" "b": "{{env "SECRET_VARIABLE"}}"}\n`),
    template('checked.conf', `requirepass ${password}\n`, { check: printing(1) }),
    template('verified.conf', `requirepass ${password}\n`, { verify: { command: printing(2), deadline: '200ms' } }),
    template('reloaded.conf', `requirepass ${password}\n`, { reload: { command: printing(3) } }),
    template('named.conf', '{{key (env "SECRET_VARIABLE")}}\n'),
  ];
  const keeping = ['/bin/sh', '-c', `cat {{file}} ${configFile}; exec sleep 1000`];
  const good = [
    template('open.conf', `pass ${password} {{env "SECRET_VARIABLE"}} {{key "secret/weight"}}\n`),
    template('private.conf', 'plain {{key "secret/weight"}}\n', { mode: '0640' }),
    template('kept.conf', `pass ${password}\n`, { reload: { supervise: keeping } }),
    template('owned.conf', 'first\n', { seed: true }),
    template('own.conf', `auth ${ofConfig}\n`),
  ];
  writeFileSync(sandbox.path('owned.conf'), `sentinel auth-pass shard1 ${ofConfig}\n`);
  const daemon = await sandbox.switchmaster({
    name: 'discreet',
    ready: '/live',
    env: { SECRET_VARIABLE: ofVariable },
    config: {
      consul: { address: consul.url },
      log: { level: 'debug' },
      journal: { file: journal },
      sentinel: { addresses: ['127.0.0.1:1'], redis: { passwordFile: configFile } },
      templates: [...failing, ...good],
      api: { tokenFile: sandbox.write('secret.token', token) },
    },
  });
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const url = `http://${daemon.api.host}:${daemon.api.port}${path}`;
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
    return { status: response.status, text: await response.text() };
  };
  type Told = readonly { readonly lastOutcome: { readonly kind: string } | null }[];
  const kinds = async () =>
    (JSON.parse((await read('/v1/templates')).text).templates as Told).map(({ lastOutcome }) => lastOutcome?.kind);
  await waitFor('every template to be told of', kinds, {
    until: (all) =>
      all.slice(0, failing.length).every((kind) => kind === 'failed') &&
      all.slice(failing.length).every((kind) => kind === 'applied' || kind === 'unchanged'),
  });
  await waitFor('the program to be heard', () => daemon.logLines().some(({ line }) => line === 'pass [secret]'));
  await daemon.kill('SIGUSR1');
  await waitFor('the state in the log', () => daemon.logLines().some(({ msg }) => msg === 'state'));
  const told = new Map([
    ['events', await readEvents(`http://${daemon.api.host}:${daemon.api.port}/v1/events?lastEventId=0`)],
    ['log', daemon.log()],
    ['journal', readFileSync(journal, 'utf8')],
  ]);
  const names = [...failing, ...good].map(({ destination }) => `/v1/templates/${basename(destination)}`);
  for (const path of ['/v1/templates', '/v1/history?limit=1000', '/ready', '/metrics', ...names]) {
    told.set(path, (await read(path)).text);
  }
  for (const [where, text] of told) t.notMatch(text, /S3cr/, where);
  for (const where of ['events', 'log', 'journal', '/v1/history?limit=1000']) {
    t.match(told.get(where), 'requirepass [secret]', `${where} says what the check said`);
  }
  const open = '/v1/templates/open.conf';
  const bearer = { authorization: `Bearer ${token}` };
  t.match(JSON.parse(told.get(open) ?? ''), { rendered: 'pass [secret] [secret] 7\n', present: null });
  t.match(JSON.parse((await read(open, bearer)).text), { rendered: `pass ${ofFile} ${ofVariable} 7\n` });
  t.match(JSON.parse(told.get('/v1/templates/own.conf') ?? ''), { rendered: 'auth [secret]\n' });
  const seeded = JSON.parse((await read('/v1/templates/owned.conf', bearer)).text);
  t.match(seeded, { present: `sentinel auth-pass shard1 ${ofConfig}\n` });
  t.match(await read('/v1/templates/private.conf'), { status: 401, text: /request-denied/ });
  const owned = JSON.parse((await read('/v1/templates/private.conf', bearer)).text);
  t.match(owned, { access: 'token', rendered: 'plain 7\n' });
  t.equal(readFileSync(sandbox.path('open.conf'), 'utf8'), `pass ${ofFile} ${ofVariable} 7\n`);
  await daemon.stop();
  t.notMatch(daemon.log(), /S3cr/);
});

/** What the stream of events sends, until the output of a check is in it. */
async function readEvents(url: string): Promise<string> {
  const ending = new AbortController();
  const response = await fetch(url, { signal: AbortSignal.any([ending.signal, AbortSignal.timeout(10_000)]) });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('requirepass [secret]') && text.endsWith('\n\n')) break;
  }
  ending.abort();
  return text;
}

t.test('metrics name the template that is held, and the one that failed', async (t) => {
  await consul.putKey('value', 'a b');
  const daemon = await sandbox.switchmaster({
    name: 'metrics',
    ready: '/live',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('held.conf.hbs', '{{#each redisMasters}}{{address}}\n{{/each}}'),
          destination: sandbox.path('held.conf'),
        },
        { source: sandbox.write('failed.conf.hbs', '{{key "value"}}\n'), destination: sandbox.path('failed.conf') },
      ],
    },
  });
  await waitFor('both to be told', async () => String((await daemon.get('/metrics')).body), {
    until: (text) =>
      text.includes('switchmaster_templates{template="held.conf",state="held"} 1') &&
      text.includes('switchmaster_templates{template="failed.conf",state="invalid"} 1') &&
      /switchmaster_reconciles_total\{loop="renderer",result="held"\} [1-9]/.test(text) &&
      /switchmaster_reconciles_total\{loop="renderer",result="failed"\} [1-9]/.test(text),
  });
  t.pass();
});
