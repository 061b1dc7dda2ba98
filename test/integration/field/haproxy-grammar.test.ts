import { join } from 'node:path';
import t, { type Test } from 'tap';
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
  return { listen, rendering };
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
