import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { readClusterView } from '../../lib/client/cluster-node.ts';
import { InstanceLink } from '../../lib/client/instance.ts';
import {
  probeRedis as probeInstance,
  probeSentinel,
  readRedisProfile,
  readSentinelProfile,
} from '../../lib/client/instance-probe.ts';
import { RedisLink } from '../../lib/client/redis.ts';
import { SentinelLink } from '../../lib/client/sentinel.ts';
import { SentinelMonitoringLink } from '../../lib/client/sentinel-monitoring.ts';
import {
  ErrorReply,
  encodeReply,
  ok,
  type Protocol,
  Push,
  type Reply,
  Verbatim,
} from '../../lib/endpoint/resp/reply.ts';
import { RequestParser } from '../../lib/endpoint/resp/request-parser.ts';
import type { Address } from '../../lib/model/address.ts';
import type { SentinelEvent } from '../../lib/model/sentinel.ts';
import { probeRedis, readIdentity } from '../../lib/renderer/apply/probe.ts';
import { waitFor } from '../sandbox/condition.ts';

/*
 * Some proxies and servers answer in RESP3 although nobody sent HELLO 3. Answers as Redis 7 and 8 and Valkey 8 send them
 * after HELLO 3, with fields that no version has, of types that RESP2 does not have.
 */

const runId = 'a'.repeat(40);
const sentinelId = 'b'.repeat(40);
/** Replaced by what RESP3 has, and RESP2 has in another form. */
const typed: readonly (readonly [string, { readonly 2: string; readonly 3: string }])[] = [
  ['@double', { 2: '$3\r\n1.5\r\n', 3: ',1.5\r\n' }],
  ['@infinity', { 2: '$3\r\ninf\r\n', 3: ',inf\r\n' }],
  ['@boolean', { 2: ':1\r\n', 3: '#t\r\n' }],
  ['@big', { 2: '$20\r\n18446744073709551616\r\n', 3: '(18446744073709551616\r\n' }],
];

const unknownFields: readonly (readonly [string, Reply])[] = [
  ['new-score', '@double'],
  ['new-limit', '@infinity'],
  ['new-flag', '@boolean'],
  ['new-count', '@big'],
  ['new-nothing', null],
  ['new-tags', new Set(['x', 'y'])],
  ['new-map', new Map<string, Reply>([['inner', 7]])],
];
const fields = (entries: Readonly<Record<string, Reply>>): Reply =>
  new Map<string, Reply>([...Object.entries(entries), ...unknownFields]);

const master = fields({
  ...{ name: 'shard1', ip: '10.0.0.5', port: '6379', runid: runId, flags: 'master', 'config-epoch': '3' },
  ...{ quorum: '2', 'num-other-sentinels': '2', 'failover-timeout': '10000', 'parallel-syncs': '1' },
});
const replica = fields({
  ...{ name: '10.0.0.6:6379', ip: '10.0.0.6', port: '6379', flags: 'slave', 'master-link-status': 'ok' },
  ...{ 'role-reported': 'slave', 'slave-priority': '100', 'slave-repl-offset': '42', 'info-refresh': '5' },
});
const info = (...lines: readonly string[]): Reply =>
  new Verbatim(`# Server\r\nrun_id:${runId}\r\n${lines.join('\r\n')}\r\n`);
const nodes = `${runId} 10.0.0.5:6379@16379,redis-0 myself,master - 0 0 1 connected 0-16383\n`;
const shardNode = fields({
  id: runId,
  port: 6379,
  ip: '10.0.0.5',
  endpoint: '10.0.0.5',
  role: 'master',
  health: 'online',
});

const sentinelAnswers: Readonly<Record<string, Reply>> = {
  'SENTINEL MYID': sentinelId,
  'SENTINEL MASTER': master,
  'SENTINEL MASTERS': [master],
  'SENTINEL REPLICAS': [replica],
  'SENTINEL SENTINELS': [fields({ ip: '10.0.1.1', port: '26379', runid: sentinelId, flags: 'sentinel' })],
  'SENTINEL CKQUORUM': new ErrorReply('NOQUORUM 1 usable Sentinels.'),
  'SENTINEL CONFIG': new Map([
    ['announce-ip', '10.9.0.1'],
    ['announce-port', '26380'],
  ]),
  INFO: info(
    'redis_mode:sentinel',
    'redis_version:8.0.3',
    'sentinel_tilt:0',
    'sentinel_masters:1',
    'master0:name=shard1,status=ok,address=10.0.0.5:6379',
  ),
  PSUBSCRIBE: new Push(['psubscribe', '*', 1]),
};
const redisAnswers: Readonly<Record<string, Reply>> = {
  AUTH: ok,
  INFO: info('redis_mode:cluster', 'redis_version:8.0.3', 'role:master', 'tcp_port:6379'),
  ROLE: ['master', 42, [['10.0.0.6', '6379', '41']]],
  'CONFIG GET': new Map([
    ['replica-announce-ip', '10.9.0.5'],
    ['replica-announce-port', '16379'],
  ]),
  'CLUSTER MYID': runId,
  'CLUSTER INFO': new Verbatim('cluster_state:ok\r\ncluster_current_epoch:6\r\n'),
  'CLUSTER SHARDS': [fields({ slots: [0, 16_383], nodes: [shardNode] })],
  'CLUSTER NODES': new Verbatim(nodes),
};

/** A server that answers in one protocol whatever it is asked. Every answer follows a push that nobody asked for. */
async function serve(t: Test, answers: Readonly<Record<string, Reply>>, protocol: Protocol) {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const write = (reply: Reply) =>
    typed.reduce(
      (text, [name, forms]) => text.replaceAll(encodeReply(name, protocol), forms[protocol]),
      encodeReply(reply, protocol),
    );
  const server = createServer((socket) => {
    const limits = { lineBytes: 65_536, bulkBytes: 65_536, commandBytes: 65_536, arguments: 1_000 };
    const parser = new RequestParser(() => limits);
    open.add(socket.on('error', () => {}));
    socket.on('data', (chunk) => {
      parser.push(chunk);
      for (let command = parser.next(); command !== undefined; command = parser.next()) {
        const [name = '', word = ''] = command.map((part) => part.toUpperCase());
        asked.push([name, word].join(' '));
        const reply =
          name === 'PING'
            ? { text: '+PONG\r\n' }
            : {
                text: write(
                  answers[`${name} ${word}`] ?? answers[name] ?? new ErrorReply(`ERR unknown command '${name}'`),
                ),
              };
        const push = protocol === 3 ? encodeReply(new Push(['invalidate', [new Verbatim('key')]]), 3) : '';
        socket.write(`${push}${reply.text}`);
        if (name === 'PSUBSCRIBE')
          socket.write(write(new Push(['pmessage', '*', '+sdown', 'master shard1 10.0.0.5 6379'])));
      }
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const address: Address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  return { address, asked };
}

const deadline = { timeoutMs: 10_000 };

async function readSentinel(t: Test, protocol: Protocol) {
  const { address, asked } = await serve(t, sentinelAnswers, protocol);
  const events: SentinelEvent[] = [];
  const up = Promise.withResolvers<void>();
  const link = new SentinelLink({
    ...{ address, access: {} },
    onEvent: (event) => events.push(event),
    onUp: () => up.resolve(),
    onDown: (error) => up.reject(error),
  });
  const monitoring = new SentinelMonitoringLink(address, {});
  const instance = new InstanceLink({ address, access: {}, onLinkState: () => {} });
  t.teardown(() => [link, monitoring, instance].map((one) => one.close()));
  await up.promise;
  const read = {
    id: link.provenId,
    view: await link.view('shard1', { ...deadline, noted: true }),
    names: (await link.masters(deadline)).map(({ name }) => name),
    others: await link.others('shard1', deadline),
    monitoring: await monitoring.monitoring(deadline),
    probe: await probeSentinel(instance, deadline),
    profile: await readSentinelProfile(instance, deadline),
    event: await waitFor('a message', () => events[0]),
  };
  return { read: withoutPort(read, address), asked };
}

async function readRedis(t: Test, protocol: Protocol) {
  const { address, asked } = await serve(t, redisAnswers, protocol);
  const link = new RedisLink(address, {});
  const instance = new InstanceLink({ address, access: {}, onLinkState: () => {} });
  t.teardown(() => [link, instance].map((one) => one.close()));
  const password = { reveal: () => 'secret' };
  const attempt = { ...deadline, signal: new AbortController().signal };
  await probeRedis(address, { password }, attempt);
  const read = {
    role: await link.role(deadline),
    runId: await link.runId(deadline),
    probe: await probeInstance(instance, deadline),
    profile: await readRedisProfile(instance, deadline),
    view: await readClusterView(instance, deadline),
    identity: await readIdentity(address, { password }, attempt),
  };
  return { read: withoutPort(read, address), asked };
}

function withoutPort(read: object, { port }: Address): unknown {
  return JSON.parse(JSON.stringify(read).replaceAll(String(port), '1'));
}

for (const [server, read] of [
  ['Sentinel', readSentinel],
  ['Redis', readRedis],
] as const) {
  t.test(`a ${server} that answers in RESP3 is read as one that answers in RESP2`, async (t) => {
    const [two, three] = [await read(t, 2), await read(t, 3)];
    t.strictSame(three.read, two.read);
    t.notMatch(JSON.stringify(two.read), /unreachable|refused/);
    t.notOk(
      [...two.asked, ...three.asked].some((command) => command.startsWith('HELLO')),
      'nobody asks for RESP3',
    );
  });
}
