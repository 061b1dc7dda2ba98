import { readFile } from 'node:fs/promises';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { type HealthCode, healthCodes, makeReason, type SubjectKind, toHealth } from '../../lib/model/health.ts';
import { type Severity, severities } from '../../lib/model/severity.ts';
import { Metrics } from '../../lib/telemetry/metrics.ts';
import { brokenCluster } from '../http/page/world.ts';
import { listen, serve } from '../http/serve.ts';
import { exampleMaster, exampleViews } from '../http/views.ts';
import { emptyView } from '../telemetry/empty-view.ts';
import { runCommand } from './command.ts';

/* One verdict, shown by the command, the endpoints, the metrics and the alerts. */

const codes = Object.keys(healthCodes) as readonly HealthCode[];

function subjectOf(code: HealthCode): { readonly kind: SubjectKind; readonly name: string } {
  const [first = ''] = code.split('-');
  if (first === 'not' || first === 'interfaces') return { kind: 'part', name: 'registrar' };
  if (first === 'consul' || first === 'config') return { kind: first, name: first };
  if (first === 'desired' || first === 'cluster' || first === 'instance' || first === 'template')
    return { kind: first, name: 'one' };
  return { kind: 'master', name: 'shard1' };
}

const reasonOf = (code: HealthCode, level?: Severity) =>
  makeReason({ code, subject: subjectOf(code), text: `About ${code}.`, ...(level === undefined ? {} : { level }) });

/** The API of a daemon with one reason. */
async function serveReason(t: Parameters<typeof serve>[0], reason: ReturnType<typeof reasonOf>) {
  const health = toHealth([reason]);
  const { server } = serve(t, exampleViews({ health }));
  return { health, server, api: `http://127.0.0.1:${await listen(server)}` };
}

async function problemSeries(reason: ReturnType<typeof reasonOf>): Promise<readonly string[]> {
  const { body } = await new Metrics({ version: '1', view: () => ({ ...emptyView, problems: [reason] }) }).text();
  return body.split('\n').filter((line) => line.startsWith('switchmaster_problem{'));
}

for (const code of codes) {
  const { level } = healthCodes[code];
  t.test(`${code} is ${level} for the command, the endpoints and the metrics`, async (t) => {
    const reason = reasonOf(code);
    const { health, server, api } = await serveReason(t, reason);
    const { code: exitCode, stdout } = await runCommand(['status', '--api', api]);
    t.equal(exitCode, level === 'well' ? 0 : 1);
    t.match(stdout, `About ${code}.  [${code}]`);
    const title = code === 'maintenance' ? 'In maintenance:' : 'Passing by itself:';
    t.match(stdout, level === 'well' ? title : 'Not well:');
    if (reason.hint !== null && level !== 'well') t.match(stdout, `$ ${reason.hint}`);
    t.equal(/^ +\w+ {2}not ready: /m.test(stdout), code === 'not-ready', 'only what is not ready is called so');
    t.strictSame((await server.inject('/v1/health')).json(), health);
    t.equal((await server.inject('/ready')).statusCode, code === 'not-ready' ? 503 : 200);
    const series = await problemSeries(reason);
    t.equal(series.length, level === 'well' ? 0 : 1);
    for (const line of series) t.ok(line.includes(`code="${code}"`) && line.includes(`level="${level}"`), line);
  });
}

t.test('the exit code follows the level, also where a reason differs from its code', async (t) => {
  const alerts = await readFile(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8');
  for (const level of severities) {
    const { api } = await serveReason(t, reasonOf('replica-down', level));
    const { code, stdout } = await runCommand(['status', '--json', '--api', api]);
    t.equal(JSON.parse(stdout).health.level, level);
    t.equal(code, level === 'well' ? 0 : 1, level);
    const hasAlert = new RegExp(`switchmaster_problem\\{level="${level}"[,}]`).test(alerts);
    t.equal(hasAlert, level !== 'well', `alert for ${level}`);
  }
});

t.test('status of one master fails for a config that is refused', async (t) => {
  const reason = makeReason({ code: 'config-refused', subject: { kind: 'config', name: 'config' }, text: 'Refused.' });
  const { server } = serve(t, exampleViews({ masters: [exampleMaster], health: toHealth([reason]) }));
  const { code, stdout } = await runCommand(['status', 'shard1', '--api', `http://127.0.0.1:${await listen(server)}`]);
  t.match([code, stdout], [1, /^config {2}the one on disk is refused$/m]);
});

t.test('status marks the nodes of a cluster that do not serve', async (t) => {
  const [master] = brokenCluster.record?.shards.flatMap(({ master }) => master ?? []) ?? [];
  if (master === undefined) throw new Error('the cluster has no master');
  const cluster = { ...brokenCluster, unwell: [{ address: master, health: 'fail' as const }] };
  const { server } = serve(t, exampleViews({ clusters: [cluster] }));
  const { stdout } = await runCommand(['status', '--api', `http://127.0.0.1:${await listen(server)}`]);
  t.match(stdout, `slots 0-5460  ${formatAddress(master)} (down), replicas`);
});

t.test('a name that a shell would split is quoted in a hint', async (t) => {
  const about = (name: string) => makeReason({ code: 'master-down', subject: { kind: 'master', name }, text: '' }).hint;
  t.equal(about('shard1'), 'switchmaster why shard1');
  t.equal(about('my master'), "switchmaster why 'my master'");
  t.equal(about("it's; rm -rf /"), "switchmaster why 'it'\\''s; rm -rf /'");
});
