import t from 'tap';
import { formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { ownLabel } from '../../../lib/model/master-node.ts';
import { environmentLabel, masterOfNode } from '../../../lib/model/naming.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf, startBridge } from '../support/bridging.ts';

/* Every chart calls its master `mymaster`: several environments in one Consul. */

const sandbox = await Sandbox.openFor(t, { name: 'field-environments' });
const name = 'mymaster';
const consul = await sandbox.consul();

interface Listed {
  readonly Node: string;
  readonly NodeMeta: Readonly<Record<string, string>>;
  readonly ServiceAddress: string;
  readonly ServiceID: string;
}

async function listed(): Promise<readonly Listed[]> {
  return (await consul.get<Listed[]>('/v1/catalog/service/redis-master')) ?? [];
}

/** A master of its own, with a Sentinel of its own. */
async function open(environment: string | undefined) {
  const label = environment ?? 'none';
  const shard = await sandbox.redis({ name: `${label}-redis`, replicas: 1 });
  const sentinel = only(await sandbox.sentinels({ name: `${label}-sentinel`, count: 1, masters: [] }));
  const { host, port } = shard.master.address;
  await sentinel.command('SENTINEL', 'MONITOR', name, host, port, 1);
  await waitFor('the replica', () => sentinel.replicaInfos(name), { until: ({ length }) => length === 1 });
  const prefix = environment === undefined ? 'redis/' : `redis/${environment}/`;
  return { environment, shard, sentinel, prefix };
}

const [live, test, none] = await Promise.all([open('live'), open('test'), open(undefined)]);

t.test('the node of a former version is removed without an empty answer of DNS', async (t) => {
  const { host, port } = live.shard.master.address;
  const Node = `redis-${name}`;
  const marks = { 'external-node': 'true', 'switchmaster-master': name, 'switchmaster-environment': 'live' };
  const Service = { ID: 'redis-master', Service: 'redis-master', Address: host, Port: port, Tags: [name, 'live'] };
  await consul.put('/v1/catalog/register', { Node, Address: host, NodeMeta: marks, Service });
  const answers: (readonly string[])[] = [];
  const polling = new AbortController();
  const polled = (async () => {
    while (!polling.signal.aborted) answers.push(await consul.dnsA('live.redis-master.service.consul'));
  })();
  startBridge(t, { consul, sentinels: [live.sentinel], environment: 'live' });
  const nodes = await waitFor('the current node alone', listed, {
    until: (all) => all.length === 1 && all[0]?.Node === `redis-live-${name}`,
  });
  polling.abort();
  await polled;
  t.equal(masterOfNode({ environment: 'live' }, only(nodes).NodeMeta), name);
  t.equal(await consul.get(`/v1/catalog/node/${Node}`), null, 'the node is gone');
  t.ok(answers.length > 0 && answers.every((hosts) => hosts.includes(host)), 'DNS always answered');
});

t.test('masters of one name in several environments have their own keys, nodes and DNS names', async (t) => {
  for (const { environment, sentinel } of [test, none])
    startBridge(t, { consul, sentinels: [sentinel], ...(environment === undefined ? {} : { environment }) });
  startBridge(t, { consul, sentinels: [live.sentinel], environment: 'live' });
  for (const { prefix, shard } of [live, test, none]) {
    const record = await recordOf(consul, name, { prefix, until: ({ replicas }) => replicas.length === 1 });
    t.strictSame(record.master, shard.master.address);
  }
  await failOver(test.sentinel, name);
  const promoted = only(test.shard.replicas).address;
  await recordOf(consul, name, { prefix: test.prefix, until: ({ master }) => master.port === promoted.port });
  const hostOf = async (label: string) => only(await consul.dnsA(`${label}.redis-master.service.consul`));
  await waitFor('DNS', () => hostOf(`test-${name}`), { until: (host) => host === promoted.host });
  t.equal(await hostOf(`live-${name}`), live.shard.master.address.host);
  t.strictSame((await listed()).map(({ Node }) => Node).toSorted(), [
    `redis-live-${name}`,
    `redis-${name}`,
    `redis-test-${name}`,
  ]);
});

t.test('a master whose name is too long for a label beside its environment has a DNS name', async (t) => {
  const long = 'x'.repeat(60);
  // The other environment's failover has made a replica of its first master.
  const { host, port } = none.shard.master.address;
  await live.sentinel.command('SENTINEL', 'MONITOR', long, host, port, 1);
  startBridge(t, { consul, sentinels: [live.sentinel], environment: 'live' });
  await recordOf(consul, long, { prefix: live.prefix, until: ({ phase }) => phase === 'confirmed' });
  const label = environmentLabel('live', long);
  const answered = () => consul.dnsA(`${label}.redis-master.service.consul`);
  await waitFor('DNS', answered, { until: (hosts) => hosts.length === 1 });
  await live.sentinel.command('SENTINEL', 'REMOVE', long);
});

t.test('masters whose names are the same with their environments have their own nodes', async (t) => {
  const label = 'prod-eu-cache';
  const twins = [
    { at: live, master: live.shard.master, environment: 'prod', name: 'eu-cache' },
    // A failover of an earlier test has promoted it.
    { at: test, master: only(test.shard.replicas), environment: 'prod-eu', name: 'cache' },
    { at: none, master: none.shard.master, environment: undefined, name: label },
  ] as const;
  const taken = new Set<string>();
  for (const { at, master, environment, name } of twins) {
    const { host, port } = master.address;
    await at.sentinel.command('SENTINEL', 'MONITOR', name, host, port, 1);
    startBridge(t, { consul, sentinels: [at.sentinel], ...(environment === undefined ? {} : { environment }) });
    const isOurs = ({ NodeMeta }: Listed) => masterOfNode({ environment }, NodeMeta) === name;
    const { Node } = only(
      await waitFor('its service', async () => (await listed()).filter(isOurs), {
        until: ({ length }) => length === 1,
      }),
    );
    t.notOk(taken.has(Node), `${Node} is no other's`);
    taken.add(Node);
    const prefix = environment === undefined ? 'redis/' : `redis/${environment}/`;
    await recordOf(consul, name, { prefix, until: ({ phase }) => phase === 'confirmed' });
    const answered = () => consul.dnsA(`${ownLabel(Node)}.redis-master.service.consul`);
    await waitFor('DNS', answered, { until: (hosts) => hosts.length > 0 && hosts.every((one) => one === host) });
    await at.sentinel.command('SENTINEL', 'REMOVE', name);
  }
  t.ok(taken.has(`redis-${label}`), 'the first one has the usual node');
});

t.test('a bridge does not report the services of other environments as foreign', async (t) => {
  const bridge = startBridge(t, { consul, sentinels: [none.sentinel] });
  const state = await waitFor('the bridge', async () => bridge.part.masters.get(name), {
    until: (master) => (master?.record ?? null) !== null,
  });
  t.strictSame(
    state?.problems.filter(({ kind }) => kind === 'foreign-instance'),
    [],
  );
});

t.test('a master moves to another environment, and leaves nothing that names a former master', async (t) => {
  const moving = 'moving';
  const shard = await sandbox.redis({ name: moving, replicas: 1 });
  const sentinels = await sandbox.sentinels({ name: 'moving-sentinel', count: 1, masters: [shard] });
  const config = (environment: string | undefined) =>
    sandbox.write(
      `moving-${environment ?? 'none'}.json`,
      JSON.stringify({
        ...(environment === undefined ? {} : { environment }),
        consul: { address: consul.url },
        sentinel: { addresses: [formatAddress(only(sentinels).address)], masters: [moving] },
      }),
    );
  const forget = async (...options: readonly string[]) => {
    const argv = ['forget', moving, '--environment', '', ...options, '--json', '--config', config('new')];
    const { code, stdout } = await runCommand(argv);
    return { code, ...JSON.parse(stdout) };
  };
  const former = startBridge(t, { consul, sentinels, masters: [moving] });
  await recordOf(consul, moving, { until: ({ replicas }) => replicas.length === 1 });
  t.match(await forget('--dry-run'), { code: 1, refusals: [{ text: /has no record in environment new/ }] });

  const bridge = startBridge(t, { consul, sentinels, masters: [moving], environment: 'new' });
  const reported = () => bridge.part.masters.get(moving)?.problems.find(({ kind }) => kind === 'other-environment');
  const command = `switchmaster forget ${moving} --environment ''`;
  t.match(await waitFor('the problem', async () => reported(), { until: (one) => one !== undefined }), {
    hint: command,
  });
  const examined = await runCommand(['doctor', '--json', '--config', config('new')]);
  const isOfEnvironment = ({ rule }: { readonly rule: string }) => rule === 'other-environment';
  t.match(JSON.parse(examined.stdout).findings.filter(isOfEnvironment), [{ subject: moving, hint: command }]);
  // On a busy machine, the former bridge may write the record again only after the command has ended.
  const early = await waitFor('a bridge of the former environment to write the record again', () => forget('--yes'), {
    until: ({ verdict }) => verdict === 'returned',
    timeoutMs: 60_000,
  });
  t.equal(early.code, 1);

  await former.stop();
  await failOver(only(sentinels), moving);
  const promoted = only(shard.replicas).address;
  // Until Sentinel has announced it, it may give the failover up.
  await recordOf(consul, moving, {
    prefix: 'redis/new/',
    until: ({ master, phase }) => sameAddress(master, promoted) && phase === 'confirmed',
  });
  const answered = () => consul.dnsA(`${moving}.redis-master.service.consul`);
  const both = [shard.master.address.host, promoted.host].toSorted().join();
  await waitFor('both in DNS', answered, { until: (hosts) => hosts.toSorted().join() === both });
  t.match(await forget('--yes'), { code: 0, verdict: 'forgotten' });
  // On a busy machine the Sentinel may fail over once more.
  const masterAndNames = async () => ({ master: await only(sentinels).masterAddress(moving), hosts: await answered() });
  await waitFor('DNS to have the master alone', masterAndNames, {
    until: ({ master, hosts }) => hosts.join() === master.host,
  });
  await waitFor('the end of the problem', async () => reported(), { until: (one) => one === undefined });
});
