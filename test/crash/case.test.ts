import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { CrashCase, type CrashCaseParts, type CrashEnd, type CrashSubject } from '../../lib/crash/case.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';

async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A master that is gone, and the world of the bridge that judges it. */
async function startCase(t: Test) {
  const server = await listen();
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master: Address = { host: '127.0.0.1', port };
  const world = { entered: 0, left: 0, reads: 0, infos: 0, forgotten: 0, isLoading: true, answers: [] as number[] };
  const ends: CrashEnd<string>[] = [];
  const subject: CrashSubject<string> = {
    name: 'shard1',
    master,
    ways: [{ to: master, from: undefined }],
    runIds: ['before'],
    whyNot: () => undefined,
    readInfo: async () => {
      world.infos += 1;
      return `run_id:after\r\nrole:master\r\nloading:${world.isLoading ? 1 : 0}\r\naof_enabled:0\r\n`;
    },
    readOthers: async () => {
      world.reads += 1;
      world.answers.push(world.forgotten);
    },
    forgetOthers: () => {
      world.forgotten += 1;
      world.answers = [];
    },
    wouldLoseKeys: () => (world.answers.length === 0 ? undefined : true),
    decide: ({ sign }) =>
      sign.kind === 'emptied' ? { kind: 'order', target: 'replica' } : { kind: 'wait', why: 'nothing is certain' },
    describe: () => ({}),
    order: async () => undefined,
    followed: async () => undefined,
    report: (end) => ends.push(end),
  };
  const leave = async () => {
    world.left += 1;
  };
  const enter = async () => {
    world.entered += 1;
    return { kind: 'inside', leave } as const;
  };
  const evidence = {
    publish: async () => undefined,
    withdraw: async () => undefined,
    bridges: () => [],
    lastOrder: async () => ({ ageMs: undefined, index: 0 }),
    claimOrder: async () => true,
  } as unknown as CrashCaseParts['evidence'];
  const stop = new AbortController();
  const parts = { steering: { enter }, evidence, bridgeId: 'bridge', crashAfterMs: 60 };
  const judged = new CrashCase(subject, parts).pursue(stop.signal);
  judged.catch(() => undefined);
  t.teardown(() => stop.abort());
  return { port, world, ends, judged };
}

t.test('a master that loads keeps neither the lease nor the questions, and is judged on new answers', async (t) => {
  const { port, world, ends, judged } = await startCase(t);
  await waitFor('the lease, and the questions', () => world.entered === 1 && world.reads > 0);
  const server = await listen(port);
  t.teardown(() => server.close());
  await waitFor('the lease to be left while it loads', () => world.left === 1);
  await waitFor('the questions to end', async () => {
    const before = world.reads;
    const { infos } = world;
    await waitFor('INFO', () => world.infos > infos + 3);
    return world.reads === before;
  });
  t.strictSame(ends, [], 'it is not judged yet');
  world.isLoading = false;
  t.equal(await judged, 'judged');
  t.match(ends, [{ target: 'replica', sign: { kind: 'emptied' } }]);
  t.equal(world.entered, 2, 'it took the lease again for the order');
  t.equal(world.left, 2);
  t.strictSame([...new Set(world.answers)], [2], 'nothing of before the load counts');
});
