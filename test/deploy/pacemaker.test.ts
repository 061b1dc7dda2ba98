import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { waitFor } from '../sandbox/condition.ts';

/* The resource agent without Pacemaker. `npm run test:pacemaker` runs it with a cluster. */
const agent = join(import.meta.dirname, '../../deploy/pacemaker/http-check');
const codes = { success: 0, generic: 1, unimplemented: 3, configured: 6, notRunning: 7 } as const;

const shellFunctions = `
OCF_SUCCESS=0 OCF_ERR_GENERIC=1 OCF_ERR_UNIMPLEMENTED=3 OCF_ERR_CONFIGURED=6 OCF_NOT_RUNNING=7
check_binary() { command -v "$1" > /dev/null || exit 5; }
ocf_exit_reason() { echo "$1" >&2; }
`;

/** Runs an action of the agent, with the state of this test. */
function openAgent(t: Test, functions = shellFunctions) {
  const folder = t.testdir({
    'ocf-shellfuncs': functions,
    run: {},
    home: { '.curlrc': 'fail-early\nmax-time = nothing\n' },
  });
  const fixed = { OCF_FUNCTIONS_DIR: folder, HA_RSCTMP: join(folder, 'run'), HOME: join(folder, 'home') };
  return async (action: string, parameters: { readonly url?: string; readonly wait?: string } = {}) => {
    const given = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
    const env = { PATH: process.env.PATH, ...fixed, http_proxy: 'http://127.0.0.1:1', ...Object.fromEntries(given) };
    const child = spawn('sh', [agent, action], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code, stdout, stderr };
  };
}

/** A server that answers each request with this status. */
async function openServer(t: Test) {
  const state = { status: 200 };
  const server = createServer((_, response) => response.writeHead(state.status).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { state, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/alive` };
}

t.test('it runs from a start until a stop, while the URL answers, whatever proxy and .curlrc there are', async (t) => {
  const run = openAgent(t);
  const { state, url } = await openServer(t);
  t.match(await run('monitor', { url }), { code: codes.notRunning });
  // A busy machine may take longer than the agent's second.
  t.match(await run('start', { url, wait: '60' }), { code: codes.success, stderr: '' });
  await waitFor('a good monitor', () => run('monitor', { url }), { until: ({ code }) => code === codes.success });
  state.status = 503;
  t.match(await run('monitor', { url }), { code: codes.generic, stderr: `${url} does not answer\n` });
  t.match(await run('stop', { url }), { code: codes.success });
  t.match(await run('monitor', { url }), { code: codes.notRunning });
  t.match(await run('start', { url, wait: '0' }), { code: codes.generic, stderr: `${url} does not answer\n` });
});

t.test('wrong parameters are named', async (t) => {
  const run = openAgent(t);
  for (const action of ['validate-all', 'start', 'monitor']) {
    t.match(await run(action), { code: codes.configured, stderr: 'url is missing\n' }, action);
    for (const wait of ['03', '-1', '1.5', '3s', 'x', ' ', '1 + 1', '1234567']) {
      const { code, stderr } = await run(action, { url: 'http://127.0.0.1:1/', wait });
      t.match({ code, stderr }, { code: codes.configured, stderr: /^wait must be a number of seconds/ }, wait);
    }
  }
  for (const wait of ['', '0', '3', '10', '120'])
    t.match(await run('validate-all', { url: 'http://127.0.0.1:1/', wait }), { code: codes.success }, wait);
});

t.test('a URL is no option of curl, and no file', async (t) => {
  const run = openAgent(t);
  for (const url of ['--version', `file://${agent}`])
    t.match(await run('start', { url, wait: '0' }), { code: codes.generic }, url);
});

t.test('it describes itself, and refuses an unknown action', async (t) => {
  const run = openAgent(t);
  const { code, stdout } = await run('meta-data');
  t.equal(code, codes.success);
  t.match(
    stdout,
    /^<\?xml version="1\.0"\?>\n<!DOCTYPE resource-agent SYSTEM "ra-api-1\.dtd">\n<resource-agent name="http-check"/,
  );
  const names = [...stdout.matchAll(/<(parameter|action) name="([^"]+)"/g)].map(([, , name]) => name);
  t.strictSame(names, ['url', 'wait', 'start', 'stop', 'monitor', 'validate-all', 'meta-data']);
  const stack: string[] = [];
  for (const [, end, name = '', self] of stdout.matchAll(/<(\/?)([\w-]+)[^>]*?(\/?)>/g)) {
    if (end === '/') t.equal(stack.pop(), name);
    else if (self === '') stack.push(name);
  }
  t.strictSame(stack, []);
  t.match(await run('promote'), { code: codes.unimplemented });
});
