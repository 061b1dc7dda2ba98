import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { Config } from '../../lib/config/model.ts';
import { formatRecord } from '../../lib/model/record.ts';
import { Removal } from '../../lib/removal/removal.ts';
import { makeRecord } from '../template/world.ts';

const record = formatRecord(makeRecord({ name: 'a', master: { host: '10.0.0.7', port: 6379 } }));
const entry = { Key: 'redis/record/a', Value: Buffer.from(record).toString('base64'), ModifyIndex: 5, Flags: 0 };

interface Step {
  readonly KV: { readonly Verb: string; readonly Key: string };
}

/** A Consul with one record. Blocking queries end with the test. */
async function startConsul(
  t: Test,
  given: { readonly onBlock: () => void; readonly refuses?: (step: Step) => boolean },
) {
  const written: string[] = [];
  let value: readonly (typeof entry)[] = [entry];
  const transact = async (request: IncomingMessage, response: ServerResponse) => {
    const steps = JSON.parse(await text(request)) as readonly Step[];
    if (steps.some((step) => given.refuses?.(step) === true)) return response.writeHead(500).end('no leader');
    for (const { KV } of steps) {
      written.push(`${KV.Verb} ${KV.Key}`);
      if (KV.Key === entry.Key) value = [];
    }
    return response.end(JSON.stringify({ Results: [], Errors: null }));
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(decodeURIComponent(request.url ?? ''), 'http://consul');
    if (pathname === '/v1/txn') return void transact(request, response);
    if (searchParams.has('index')) return given.onBlock();
    response.setHeader('X-Consul-Index', '7');
    response.setHeader('X-Consul-KnownLeader', 'true');
    response.setHeader('Content-Type', 'application/json');
    if (pathname === '/v1/kv/redis/record/a' && value.length > 0) response.end(JSON.stringify(value));
    else if (pathname.startsWith('/v1/catalog/node/')) response.end('null');
    else if (/^\/v1\/(catalog|health)\//.test(pathname)) response.end('[]');
    else response.writeHead(404).end();
  };
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const consul = { host: '127.0.0.1', port, connections: 8, maxStaleMs: 0 };
  // Nothing listens there, and the wish says that this Sentinel is gone.
  const sentinel = { addresses: [{ host: '127.0.0.1', port: 1 }], access: {}, masters: [] };
  const config = { consul, sentinel, cluster: [], publish: [], templates: [] } as unknown as Config;
  const wish = { name: 'a', subject: 'master', permissions: { unreachableSentinels: 'gone' } } as const;
  const removal = new Removal(config, wish);
  t.teardown(() => removal.close());
  return { removal, written };
}

t.test('a removal that is ended while it waits for the return of the record deletes its mark', async (t) => {
  const stop = new AbortController();
  const { removal, written } = await startConsul(t, { onBlock: () => stop.abort() });
  const plan = await removal.plan();
  t.same(await removal.carryOut(plan, { signal: stop.signal, warn: t.fail }), { kind: 'gone' });
  t.same([written.at(0), written.at(-1)], ['set redis/record/a/', 'delete redis/record/a/']);
  t.ok(written.length > 2);
});

t.test('a removal that is ended before its first step changes nothing', async (t) => {
  const { removal, written } = await startConsul(t, { onBlock: () => undefined });
  const plan = await removal.plan();
  await t.rejects(removal.carryOut(plan, { signal: AbortSignal.abort(), warn: t.fail }), /nothing was deleted/);
  t.same(written, []);
});

t.test('a mark that could not be deleted is reported with the command', async (t) => {
  const stop = new AbortController();
  const warnings: string[] = [];
  const refuses = ({ KV }: Step) => KV.Verb === 'delete' && KV.Key.endsWith('/');
  const { removal } = await startConsul(t, { onBlock: () => stop.abort(), refuses });
  const plan = await removal.plan();
  const warn = (message: string) => warnings.push(message);
  t.same(await removal.carryOut(plan, { signal: stop.signal, warn }), { kind: 'gone' });
  t.match(warnings, [/consul kv delete redis\/record\/a\/$/]);
  t.equal(warnings.length, 1);
});
