import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { ReadOptions } from '../../../lib/client/consul-options.ts';
import { CatalogWatches, type Reader, type WatchEvent } from '../../../lib/consul/watches.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'stale' });
const servers = await sandbox.consulServers({ config: { log_level: 'debug' } });
const timeoutMs = 60_000;

t.test('lists may come from any server, who is master only from the leader', async (t) => {
  const { follower } = await roles();
  await Promise.all([putRecord(follower, { name: 'shard1' }), putWeb(follower, 1)]);
  const rendering = render(t, follower);
  await rendering.until('current');
  // A follower may not have the service yet when it is asked first.
  await waitFor('both', () => readFileSync(rendering.state().destination, 'utf8'), {
    until: (text) => text.includes('10.0.0.1:1 10.0.0.1:6379'),
  });
  const requests = follower.log().match(/method=GET url=\S+/g) ?? [];
  const asked = (path: string) => requests.filter((line) => line.includes(path));
  t.ok(asked('/v1/health/service/web').length > 0);
  t.strictSame(
    asked('/v1/health/service/web').filter((line) => !/[?&]stale\b/.test(line)),
    [],
  );
  t.ok(asked('/v1/kv/redis%2Frecord').length > 0);
  t.strictSame(
    asked('/v1/kv/redis%2Frecord').filter((line) => /[?&]stale\b/.test(line)),
    [],
  );
  const client = open(t, follower);
  await waitFor('an answer of the follower itself', () => readWeb(client, 'stale'), {
    until: ({ lastContactMs }) => lastContactMs > 0,
    intervalMs: 3,
  });
  t.equal((await readWeb(client, 'default')).lastContactMs, 0, 'and one of the leader');
});

t.test('the death of a leader does not affect a template that reads lists', async (t) => {
  const { leader, follower } = await roles();
  await putWeb(follower, 1);
  const rendering = render(t, follower, 'lists');
  await rendering.until('current');
  const events: WatchEvent[] = [];
  const follow = rendering.watches.follow({ kind: 'service', service: 'web' }, (event) => events.push(event), {
    consistency: 'stale',
  });
  await leader.kill();
  // Refused while there is no leader to commit it.
  await waitFor('another leader', () => putWeb(follower, 2).then(() => true), { timeoutMs });
  await waitFor('the change', () => readFileSync(rendering.state().destination, 'utf8'), {
    until: (text) => text.startsWith('10.0.0.1:2'),
    timeoutMs,
  });
  t.strictSame(events, ['value']);
  follow.release();
  await rendering.stop();
  await leader.start();
});

t.test('an answer of a server without contact to the leader is not used: the watch waits for the leader', async (t) => {
  const { leader, follower } = await roles();
  await leader.putKey('cut', 'value');
  const client = open(t, follower);
  const query = { kind: 'key', key: 'cut' } as const;
  const readStale = () => client.read(query, { consistency: 'stale' });
  await waitFor('the follower to have it', readStale, { until: ({ value }) => value?.value === 'value', timeoutMs });
  const others = servers.filter((server) => server !== follower);
  for (const server of others) server.pause();
  t.teardown(() => {
    for (const server of servers) if (server.running) process.kill(server.pid ?? 0, 'SIGCONT');
  });
  const maxStaleMs = 300;
  const old = await waitFor('an old answer', readStale, {
    until: ({ lastContactMs }) => lastContactMs > maxStaleMs,
    timeoutMs,
  });
  t.equal(old.value?.value, 'value', 'which is what it knew before');
  const asked: ReadOptions['consistency'][] = [];
  const noting: Reader = {
    read(wanted, options) {
      asked.push(options.consistency);
      return client.read(wanted, options);
    },
  };
  const watches = new CatalogWatches({
    client: noting,
    limits: { maxStaleMs, backoff: { initialMs: 20, maxMs: 200 } },
  });
  t.teardown(() => watches.close());
  const states: string[] = [];
  const follow = watches.follow(query, () => states.push(follow.state.kind), { consistency: 'stale' });
  await waitFor('the watch to ask the leader', () => asked.includes('default'), { timeoutMs });
  // No leader answers while the others are paused, and a watch with a value is current.
  t.notOk(states.includes('current'), 'the old answer was not taken');
  for (const server of others) server.resume();
  await waitFor('the answer of a leader', () => states.includes('current'), { timeoutMs });
  t.match(follow.state, { value: { value: 'value' } });
});

function render(t: Test, consul: ConsulAgent, reads: 'lists' | 'lists and masters' = 'lists and masters') {
  const lists = '{{#each (service "web") as |i|}}{{i.address}}:{{i.port}} {{/each}}';
  const masters = reads === 'lists' ? '' : '{{#each redisMasters}}{{address}}{{/each}}';
  return startRendering(t, { consul, specs: [{ template: `${lists}${masters}\n`, wait: { minMs: 1, maxMs: 5 } }] });
}

function open(t: Test, consul: ConsulAgent): ConsulClient {
  const client = new ConsulClient({ ...consul.http });
  t.teardown(() => client.close());
  return client;
}

function readWeb(client: ConsulClient, consistency: 'stale' | 'default') {
  return client.read({ kind: 'service', service: 'web' }, { consistency });
}

async function putWeb(consul: ConsulAgent, port: number): Promise<void> {
  const service = { Service: 'web', Address: '10.0.0.1', Port: port };
  await consul.put('/v1/catalog/register', { Node: 'external', Address: '10.0.0.1', Service: service });
}

/** A leader that its followers agree on. */
async function roles(): Promise<{ leader: ConsulAgent; follower: ConsulAgent }> {
  const seen = await waitFor(
    'one leader',
    async () => new Set(await Promise.all(servers.map((server) => server.get<string>('/v1/status/leader')))),
    { until: (leaders) => leaders.size === 1 && !leaders.has(''), timeoutMs },
  );
  const [address] = [...seen];
  const leader = servers.find(({ http }) => address?.startsWith(`${http.host}:`));
  const follower = servers.find((server) => server !== leader);
  if (leader === undefined || follower === undefined) throw new Error(`no server is at ${address}`);
  return { leader, follower };
}
