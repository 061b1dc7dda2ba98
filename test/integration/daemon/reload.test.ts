import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { Certificates } from '../../sandbox/certificates.ts';
import type { LocalDaemon } from '../../sandbox/local-daemon.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { connectWhile } from './connections.ts';

// A reload refuses no connection. Nothing here needs Consul, which does not run.
const sandbox = await Sandbox.openFor(t, { name: 'reload' });
const certificates = new Certificates(sandbox.path('certificates'));
const live = 'GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
const ping = 'PING\r\n';
const consul = { address: 'http://127.0.0.1:1' };

const start = (name: string, config: Record<string, unknown>): Promise<LocalDaemon> =>
  sandbox.localDaemon({ name, config: { consul, ...config }, ready: 'started' });

/** Takes each config twice, since a connection may find no moment without a listener. */
async function reloadWhileConnecting(
  daemon: LocalDaemon,
  at: { readonly address: Address; readonly request: string; readonly tls?: boolean },
  configs: readonly Record<string, unknown>[],
): Promise<void> {
  const ends = await connectWhile({ tls: false, ...at }, async () => {
    for (const config of [...configs, ...configs]) await daemon.reload({ consul, ...config });
  });
  t.strictSame(Object.keys(ends), ['answered'], JSON.stringify(ends));
}

const tokens = ['one', 'two'].map((name) => {
  const tokenFile = sandbox.path(`${name}.token`);
  writeFileSync(tokenFile, `the-token-${name}-of-the-test`);
  return { api: { tokenFile } };
});

t.test('a changed token closes no connection to the API, and takes effect', async (t) => {
  const daemon = await start('token', {});
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const order = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const url = `http://${formatAddress(daemon.api)}/v1/masters/shard1/failover`;
    const request = http.request(url, { method: 'POST', agent, headers }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return { status: response.statusCode, port: response.socket.localPort };
  };
  const first = await order('the-token-two-of-the-test');
  await reloadWhileConnecting(daemon, { address: daemon.api, request: live }, tokens);
  const second = await order('the-token-two-of-the-test');
  t.strictSame([first.status, second.status], [401, 404], 'the token counts from the reload on');
  t.equal(second.port, first.port, 'the connection stays');
});

t.test('a renewed certificate refuses no connection, and new connections see it', async (t) => {
  const [one, two] = [certificates.issue('one.test'), certificates.issue('two.test')];
  const [first, second] = [one, two].map(({ certFile, keyFile }) => ({ api: { tls: { certFile, keyFile } } }));
  const daemon = await start('certificate', first ?? {});
  const name = async () => {
    const socket = connectTls({ ...daemon.api, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  t.equal(await name(), 'one.test');
  await reloadWhileConnecting(daemon, { address: daemon.api, request: live, tls: true }, [first ?? {}, second ?? {}]);
  t.equal(await name(), 'two.test');
});

t.test('the API listens at a new address before it leaves the former one', async (t) => {
  const daemon = await start('address', {});
  const moved = await sandbox.address();
  await daemon.reload({ consul, api: { listen: formatAddress(moved) } });
  const status = (address: Address) =>
    once(http.get(`http://${formatAddress(address)}/live`, { agent: false }), 'response').then(
      ([{ statusCode }]) => statusCode,
      ({ code }) => code,
    );
  t.strictSame([await status(moved), await status(daemon.api)], [200, 'ECONNREFUSED']);
  await daemon.reload({ consul, api: { listen: `0.0.0.0:${moved.port}`, allowRemote: true } });
  t.equal(await status(moved), 200, 'an address that contains the former one');
});

t.test('new settings of the Sentinel endpoint refuse no connection', async () => {
  const address = await sandbox.address();
  const listen = formatAddress(address);
  const daemon = await start('endpoint', { sentinelEndpoint: { listen } });
  await reloadWhileConnecting(daemon, { address, request: ping }, [
    { sentinelEndpoint: { listen, maxConnections: 100 } },
    { sentinelEndpoint: { listen }, consul: { address: 'http://127.0.0.1:2' } },
  ]);
});
