import t, { type Test } from 'tap';
import { readView } from '../../../lib/client/sentinel-shapes.ts';
import { type EndpointMeta, makeView } from '../../../lib/endpoint/plan/view.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { ServiceInstance } from '../../../lib/model/catalog.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { makeRecord } from '../../template/world.ts';
import { otherEditions, ownEdition } from '../support/editions.ts';
import { maskFields, readRaw } from '../support/raw-answers.ts';
import { type Edition, sameAnswers, sameFields } from '../support/sentinel-questions.ts';
import { serveView } from '../support/serving-endpoint.ts';

/*
 * Real Sentinels of Redis 7 and Valkey, and of Redis 8 with `npm run test:editions`, and an endpoint that answers from a
 * record of the same servers: byte by byte, in RESP2 and RESP3.
 */
t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'answers' });
const editions: readonly Edition[] = ['redis', ...otherEditions];

/** They change from one moment to the next, or name the edition. */
const momentary = new Set([
  ...['last-ping-sent', 'last-ok-ping-reply', 'last-ping-reply', 'info-refresh', 'role-reported-time'],
  ...['last-hello-message', 'link-pending-commands', 'slave-repl-offset', 'server', 'version', 'id'],
]);

for (const edition of editions) {
  t.test(`${edition}: the endpoint answers as a Sentinel does`, async (t) => {
    const servers = await startSentinels(edition);
    const { shard, sentinel } = servers;
    const address = await startServer(t, servers);
    const kinds = [
      { questions: sameAnswers(shard.master.address), fields: new Set<string>() },
      { questions: sameFields, fields: momentary },
    ];
    const asked = edition === 'redis' ? ownEdition() : edition;
    const differences = [];
    let compared = 0;
    for (const protocol of [2, 3] as const)
      for (const { questions, fields } of kinds)
        for (const question of questions) {
          if (question.on?.includes(asked) === false) continue;
          const commands = question.commands.map((words) =>
            words.map((word) => (word === 'shard1' ? shard.name : word)),
          );
          const [real = '', ours = ''] = (
            await Promise.all([sentinel.address, address].map((at) => readRaw(at, { commands, protocol })))
          ).map((text) => maskFields(text, fields));
          compared += 1;
          if (real !== ours) differences.push({ commands, protocol, real, ours });
        }
    t.strictSame(differences, []);
    t.ok(compared > 300, `${compared} answers are the same`);
  });
}

interface Servers {
  readonly shard: Shard;
  /** The one that is asked. */
  readonly sentinel: SentinelServer;
  readonly other: SentinelServer;
}

async function startSentinels(edition: Edition): Promise<Servers> {
  const shard = await sandbox.redis({ name: `${edition}-shard`, program: `${edition}-server` });
  const program = `${edition}-sentinel`;
  const [sentinel, other] = await sandbox.sentinels({
    name: edition,
    count: 2,
    masters: [shard],
    program,
    downAfterMs: 60_000,
  });
  if (sentinel === undefined || other === undefined) throw new Error('there are two Sentinels');
  // A machine that stops for seconds changes none of their answers.
  for (const one of [sentinel, other]) await one.command('SENTINEL', 'DEBUG', 'tilt-trigger', 600_000);
  return { shard, sentinel, other };
}

/** An endpoint with the id of a Sentinel, that knows what this Sentinel knows. */
async function startServer(t: Test, { shard, sentinel, other }: Servers): Promise<Address> {
  const { name } = shard;
  const [id, otherId] = await Promise.all(
    [sentinel, other].map(async (one) => String(await one.command('SENTINEL', 'MYID'))),
  );
  if (id === undefined || otherId === undefined) throw new Error('there are two ids');
  const [master, replicas] = await Promise.all(
    ['MASTER', 'REPLICAS'].map((word) => sentinel.command('SENTINEL', word, name)),
  );
  const known = readView({ name, sentinelId: id, sentinel: sentinel.address, master, replicas });
  const record = makeRecord({
    name,
    epoch: known.configEpoch,
    master: shard.master.address,
    replicas: known.replicas.map((replica) => replica.address),
  });
  const own = { id, environment: '', transport: 'tcp' } as const;
  const endpoints = [
    { meta: own, at: sentinel.address },
    { meta: { ...own, id: otherId }, at: other.address },
  ].map(({ meta, at }): ServiceInstance => makeEndpoint(meta, at));
  const catalog = { records: [record], masters: [], replicas: [], endpoints };
  const view = makeView(catalog, { naming: { environment: undefined }, own, nowMs: 0 });
  return (await serveView(t, { view, id, known: [known] })).address;
}

function makeEndpoint(meta: EndpointMeta, { host, port }: Address): ServiceInstance {
  const { id } = meta;
  const node = { node: 'n', nodeAddress: '192.0.2.1', nodeMeta: {}, datacenter: 'dc1' };
  return { ...node, id, name: 'redis-sentinel-endpoint', address: host, port, tags: [], meta: { ...meta }, checks: [] };
}
