import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { judgedCodes } from '../../../lib/doctor/judgement.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { type HealthCode, healthCodes, type Reason } from '../../../lib/model/health.ts';
import type { Severity } from '../../../lib/model/severity.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';
import { allOnline, startCluster } from '../support/clustering.ts';
import { patient, VerdictObserver } from '../support/verdicts.ts';

/*
 * One judgement of one real stack, reported everywhere: the API, the metrics, the commands and the log. SITUATIONS=all also makes those
 * that take long.
 */
t.setTimeout(600_000);
const long = process.env.SITUATIONS === 'all';
const sandbox = await Sandbox.openFor(t, { name: 'judgement' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard] });
const cluster = long ? await startCluster(sandbox, { name: 'sessions' }) : undefined;
const replica = only(shard.replicas);
mkdirSync(sandbox.path('kept'));
const template = sandbox.write('masters.hbs', '{{#each redisMasters}}{{name}} {{host}}:{{port}}\n{{/each}}');
const config = {
  consul: { address: consul.url },
  sentinel: {
    addresses: sentinels.map(({ address }) => formatAddress(address)),
    masters: ['shard*'],
    resync: '2s',
  },
  register: [{ kind: 'redis', name: 'shard1', address: formatAddress(replica.address), check: { interval: '500ms' } }],
  ...(cluster === undefined
    ? {}
    : { cluster: [{ name: 'sessions', seeds: cluster.nodes.map(({ address }) => formatAddress(address)) }] }),
  templates: [{ source: template, destination: sandbox.path('masters') }],
  journal: { file: sandbox.path('kept/journal') },
};
const daemon = await sandbox.localDaemon({ config });
const api = `http://${formatAddress(daemon.api)}`;
const read = async (path: string) => (await daemon.get(path)).body;
const observe = (everyMs: number) =>
  new VerdictObserver({ health: () => read('/v1/health'), metrics: () => read('/metrics') }).start({ everyMs });
const calm = { ...patient, intervalMs: 300 };
const observed = observe(500);
const health = () => observed.health();
await waitFor('all to be well', health, { until: ({ level }) => level === 'well', ...calm });

const masterOf = async (): Promise<string> => {
  const { record } = (await read('/v1/masters/shard1')) as { record: { master: { host: string; port: number } } };
  return formatAddress(record.master);
};

interface Situation {
  readonly title: string;
  readonly codes: readonly (readonly [code: HealthCode, level: Severity])[];
  readonly begin: () => unknown;
  readonly end: () => unknown;
  /** What the log reports of it. */
  readonly logged: RegExp;
  readonly takes?: 'long';
}

const others = sentinels.slice(1);
const kept = sandbox.path('kept');
const situations: readonly Situation[] = [
  {
    title: 'the only replica is killed',
    codes: [
      ['replica-down', 'warning'],
      ['instance-critical', 'critical'],
    ],
    begin: () => replica.kill(),
    end: () => replica.start(),
    logged: /refuses connections/,
    takes: 'long',
  },
  {
    title: 'two of three Sentinels are killed',
    codes: [
      ['sentinel-unreachable', 'warning'],
      ['sentinels-lost', 'critical'],
    ],
    begin: () => Promise.all(others.map((sentinel) => sentinel.kill())),
    end: () => Promise.all(others.map((sentinel) => sentinel.start())),
    logged: /sentinel lost/,
    takes: 'long',
  },
  {
    title: 'a replica is made a master, and refuses to be fenced',
    codes: [['second-master', 'critical']],
    begin: async () => {
      await replica.command('REPLICAOF', 'NO', 'ONE');
      await replica.command('ACL', 'SETUSER', 'default', '-replicaof', '-slaveof', '-client|pause');
    },
    end: () => replica.command('ACL', 'SETUSER', 'default', '+@all'),
    logged: /answers as a master beside/,
  },
  {
    title: 'the journal cannot be written, and a desired master is no master',
    codes: [
      ['journal-unwritable', 'warning'],
      ['desired-held', 'warning'],
    ],
    begin: async () => {
      renameSync(kept, `${kept}.aside`);
      writeFileSync(kept, 'not a folder');
      await consul.putKey('redis/desired/shard9', 'no master');
    },
    end: async () => {
      rmSync(kept);
      renameSync(`${kept}.aside`, kept);
      await consul.delete('/v1/kv/redis/desired/shard9');
    },
    logged: /journal not kept/,
    takes: 'long',
  },
  {
    title: 'Consul hangs',
    codes: [['consul-unreachable', 'critical']],
    begin: () => consul.pause(),
    end: () => consul.resume(),
    logged: /cannot read from consul/,
    takes: 'long',
  },
  {
    title: 'a template is broken',
    codes: [['template-invalid', 'critical']],
    begin: async () => {
      writeFileSync(template, '{{#each redisMasters}}');
      await daemon.reload(config);
    },
    end: async () => {
      writeFileSync(template, '{{#each redisMasters}}{{name}} {{host}}:{{port}}\n{{/each}}');
      await daemon.reload(config);
    },
    logged: /masters\.hbs/,
    takes: 'long',
  },
  {
    title: 'a shard of a cluster is killed',
    codes: [
      ['cluster-slots-uncovered', 'critical'],
      ['cluster-node-down', 'warning'],
    ],
    begin: () => Promise.all([0, 3].map((i) => cluster?.nodes[i]?.kill())),
    end: async () => {
      await Promise.all([0, 3].map((i) => cluster?.nodes[i]?.start()));
      if (cluster !== undefined) await allOnline(cluster, patient);
    },
    logged: /sessions/,
    takes: 'long',
  },
];

async function isReportedEverywhere(t: Pick<Test, 'equal' | 'ok' | 'match'>, reason: Reason): Promise<void> {
  const { code, level, text, hint } = reason;
  const shown = await runCommand(['status', '--api', api]);
  t.equal(shown.code, 1, code);
  t.ok(shown.stdout.replace(/\s+/g, ' ').includes(`[${code}]`), `${code} in ${shown.stdout}`);
  if (hint !== null) t.ok(shown.stdout.includes(hint), `${hint} in ${shown.stdout}`);
  const json = JSON.parse((await runCommand(['status', '--json', '--api', api])).stdout) as {
    health: { reasons: Reason[] };
  };
  t.ok(
    json.health.reasons.some((one) => one.code === code && one.level === level),
    `status --json: ${code}`,
  );
  t.equal((await daemon.get('/ready')).status, 200, 'a problem does not make it unready');
  const line = `switchmaster_problem{code="${code}",subject="${reason.subject.kind}/${reason.subject.name}",level="${level}"} 1`;
  t.ok(String(await read('/metrics')).includes(line), line);
  t.ok(reason.doc.endsWith(`#${code}`) && text.length > 0 && Object.hasOwn(healthCodes, code));
  if (!judgedCodes.some((one) => one === code)) return;
  const examined = await runCommand(['doctor', '--json', '--config', daemon.configFile]);
  t.match(examined.stdout, `"${code}"`, 'the doctor says the same');
}

for (const { title, codes, begin, end, logged, takes } of situations) {
  if (takes === 'long' && !long) continue;
  t.test(`every place reports it, as long as it lasts: ${title}`, async (t) => {
    const lines = daemon.logLines().length;
    try {
      await begin();
      const isThere = (reasons: readonly Reason[], [code, level]: Situation['codes'][number]) =>
        reasons.some((one) => one.code === code && one.level === level);
      const { reasons } = await waitFor(`${codes}`, health, {
        until: ({ reasons }) => codes.every((wanted) => isThere(reasons, wanted)),
        ...patient,
      });
      for (const wanted of codes)
        await isReportedEverywhere(t, reasons.find((one) => isThere([one], wanted)) as Reason);
      const said = () => JSON.stringify(daemon.logLines().slice(lines));
      await waitFor('the log to report it', said, { until: (text) => logged.test(text), ...patient });
    } finally {
      await end();
    }
    const isOver = async () =>
      (await runCommand(['status', '--api', api])).code === 0 &&
      !/switchmaster_problem\{/.test(String(await read('/metrics')));
    // Commands take much more of the processor than a request.
    await waitFor('the daemon to find all well', health, { until: ({ level }) => level === 'well', ...calm });
    await waitFor('all to be well again', isOver, calm);
  });
}

t.test('a planned failover of a stack that is well alarms nobody, at no moment', async (t) => {
  const from = await masterOf();
  const during = observe(150);
  await waitFor(
    'Sentinel to accept the order',
    () => only(sentinels.slice(0, 1)).command('SENTINEL', 'FAILOVER', 'shard1').catch(String),
    {
      until: (answer) => answer === 'OK',
      ...patient,
    },
  );
  await waitFor('the record to follow', masterOf, { until: (master) => master !== from, ...patient });
  const recordedMs = performance.now();
  const former = only(shard.servers.filter(({ address }) => formatAddress(address) === from));
  const roleOf = async () => String((await former.command('ROLE')) as unknown);
  await waitFor('the former master to be a replica', roleOf, {
    until: (role) => role.startsWith('slave'),
    ...patient,
  });
  const fencedMs = performance.now() - recordedMs;
  await waitFor('the failover to settle', () => observed.codes(), {
    until: (codes) => codes.length === 0,
    ...calm,
  });
  await during.stop();
  // The judgement allows the fence 3 s. On a machine that needs longer, this alarm is right.
  const isRight = (alarm: string) => fencedMs > 2_500 && alarm.startsWith('second-master: ');
  const story = [`fenced after ${fencedMs} ms`, ...during.story].join('\n');
  t.strictSame(
    during.alarms.filter((alarm) => !isRight(alarm)),
    [],
    story,
  );
});

t.test('no two places differed at any time', async (t) => {
  await observed.stop();
  t.strictSame(observed.differences, []);
});
