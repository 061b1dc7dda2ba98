import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clientsOf, openIdle } from '../support/idle-clients.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'haproxy-grammar' });
const [consul, one, two] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'one', replicas: 0 }),
  sandbox.redis({ name: 'two', replicas: 0 }),
]);

const sessions = 5;
const address = '{{#with (redisMaster "shard1")}}{{host}}:{{port}}{{/with}}';
const hosts = [one.master.address, two.master.address].map(({ host, port }) => `${host}:${port}`);

/** What an operator's own template has for Redis, beside `global` and `defaults`. `LISTEN` is its address. */
const forms: Readonly<Record<string, string>> = {
  'lines in column 0': `listen redis\nbind LISTEN\nserver redis-1 ${address} check\n`,
  'quotes and deep indents': `"listen" redis\n\t\tbind "LISTEN"\n\t\t\t"server" 'redis-1' "${address}" check # it\n`,
  'a frontend that chooses its backend': `frontend f
bind LISTEN
default_backend {{#with (redisMaster "shard1")}}b{{envName host}}_{{port}}{{/with}}
${hosts.map((host) => `backend b${host.replaceAll(/[.:]/g, '_')}\nserver s ${host}\n`).join('')}`,
  'a variable': `global\nsetenv MASTER "${address}"\nlisten redis\nbind LISTEN\nserver redis-1 "\${MASTER}" check\n`,
  'a server template': `listen redis\nbind LISTEN\nserver-template s 1 ${address} check\n`,
  'a dispatch': `listen redis\nbind LISTEN\ndispatch ${address}\n`,
};

async function setUp(t: Test, { form, name }: { readonly form: string; readonly name: string }) {
  const listen = await sandbox.address();
  const folder = makeFolder(t);
  const socket = join(sandbox.folder, `${name}.sock`);
  const configFile = join(folder, 'haproxy.cfg');
  const proxy = await sandbox.haproxy({ name: `proxy-${name}`, configFile, listen, start: 'later' });
  const template = `global
stats socket ${socket} mode 660 level admin expose-fd listeners
defaults
mode tcp
timeout connect 1s
timeout client 1h
timeout server 1h
${form.replace('LISTEN', `${listen.host}:${listen.port}`)}`;
  await move(one.master);
  const reload = { kind: 'haproxy', socket, fallback: { argv: proxy.reloadCommand } } as const;
  const check = { argv: ['haproxy', '-c', '-f', '{{file}}'] };
  const spec = { name: 'haproxy.cfg', template, check, reload };
  const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
  await rendering.until('current');
  return { listen, rendering, socket, configFile };
}

let epoch = 0;

async function move(to: RedisServer): Promise<void> {
  epoch += 1;
  await putRecord(consul, { name: 'shard1', master: to.address, epoch, replicas: [] });
}

for (const [i, [what, form]] of Object.entries(forms).entries()) {
  t.test(`no session stays on the former master: ${what}`, async (t) => {
    const { listen, rendering } = await setUp(t, { form, name: `form-${i}` });
    const { sockets, closed } = await openIdle(listen, sessions);
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
    });
    t.ok((await clientsOf(one.master)) >= sessions);
    await move(two.master);
    await waitFor('the sessions to end', closed, { until: (count) => count === sessions });
    await waitFor('nobody on the former master', () => clientsOf(one.master), { until: (count) => count === 0 });
    await rendering.until('current');
    t.match(await redisCli(listen, ['INFO', 'server']), new RegExp(`tcp_port:${two.master.address.port}\\r`));
    t.same(rendering.state().warnings, []);
  });
}

t.test('after a reload, a server has the port of the config and not that of the state file', async (t) => {
  const stateFile = join(sandbox.folder, 'server-state');
  const form = `global
server-state-file ${stateFile}
listen redis
bind LISTEN
load-server-state-from-file global
description "${address}"
server redis-1 ${address} check
`;
  const { listen, rendering, socket, configFile } = await setUp(t, { form, name: 'state-file' });
  const states = await new HaproxyRuntime(socket).send(['show servers state'], AbortSignal.timeout(10_000));
  writeFileSync(stateFile, states);
  await move(two.master);
  const follows = () =>
    readFileSync(configFile, 'utf8').includes(hosts[1] ?? '') && rendering.state().state === 'current';
  await waitFor('the new master after the reload', follows);
  t.match(await redisCli(listen, ['INFO', 'server']), new RegExp(`tcp_port:${two.master.address.port}\\r`));
  t.match(rendering.state().warnings, [/the servers of redis from its state file/]);
});

t.test('HAProxy follows a failover although two proxies of its next config bind one address', async (t) => {
  const own = join(sandbox.folder, 'own.cfg');
  writeFileSync(own, '# nothing yet');
  const form = `listen redis\nbind LISTEN\nserver redis-1 ${address} check\n{{raw (file "${own}")}}\n`;
  const { listen, rendering, configFile } = await setUp(t, { form, name: 'double-bind' });
  writeFileSync(own, `listen mine\nbind ${listen.host}:${listen.port}\nserver s ${hosts[0]}`);
  const outcome = () => rendering.reports.at(-1)?.outcome;
  await waitFor('the double bind to be refused', outcome, {
    until: (last) => last?.kind === 'failed' && last.error.message.includes('both listen at'),
  });
  await move(two.master);
  const answer = () => redisCli(listen, ['INFO', 'server']).catch(() => '');
  await waitFor('the new master behind HAProxy', answer, {
    until: (info) => String(info).includes(`tcp_port:${two.master.address.port}\r`),
  });
  t.notMatch(readFileSync(configFile, 'utf8'), 'listen mine');
});

t.test('HAProxy answers with the value of a log format as it is', async (t) => {
  const value = '%[env(HOME)] $HOME \\1 %ci 100%';
  const listen = await sandbox.address();
  const folder = makeFolder(t);
  const configFile = join(folder, 'haproxy.cfg');
  const timeouts = ['connect', 'client', 'server'].map((name) => `timeout ${name} 5s\n`).join('');
  const template = `defaults\nmode http\n${timeouts}
listen echo
bind ${listen.host}:${listen.port}
http-request set-header X-A "{{vars.x}}"
http-request set-header X-B b
http-request replace-header X-B ^(b)$ "{{vars.x}}"
http-request set-var-fmt(txn.c) "{{vars.x}}"
http-request return status 200 content-type text/plain hdr A "%[req.hdr(X-A)]" hdr B "%[req.hdr(X-B)]" hdr C "%[var(txn.c)]" lf-string "{{vars.x}}"
`;
  const check = { argv: ['haproxy', '-c', '-f', '{{file}}'] };
  const spec = { name: 'haproxy.cfg', template, check, vars: { x: value } };
  await startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 }).until('current');
  await sandbox.haproxy({ name: 'echo', configFile, listen });
  const answer = await fetch(`http://${listen.host}:${listen.port}/`);
  t.equal(await answer.text(), value);
  t.same(
    ['a', 'b', 'c'].map((name) => answer.headers.get(name)),
    [value, value, value],
  );
});
