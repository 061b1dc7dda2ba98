import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { MaintenanceOrder, MaintenanceState } from '../../lib/http/views.ts';
import { exampleToken, listen, serve } from '../http/serve.ts';
import { exampleMaintenance, exampleMaster, exampleViews } from '../http/views.ts';
import { runCommand } from './command.ts';

const all: MaintenanceState = { ...exampleMaintenance, master: null, text: 'all masters are in maintenance: by ops' };

/** An API whose orders change `maintenance`. */
async function start(maintenance: readonly MaintenanceState[] = []) {
  const asked: MaintenanceOrder[] = [];
  const order = async (given: MaintenanceOrder) => {
    asked.push(given);
    const before = maintenance.find(({ master }) => master === given.scope) ?? null;
    if (given.state === 'off') return { changed: before !== null, before, after: null };
    if (given.scope === 'gone') throw new SwitchmasterError('not-found', 'No master is called gone.');
    return { changed: true, before, after: { ...exampleMaintenance, master: given.scope } };
  };
  const masters = [{ ...exampleMaster, maintenance: maintenance[0] ?? null }];
  const { server } = serve(t, exampleViews({ masters, maintenance, maintenanceControls: { order } }));
  const api = `http://127.0.0.1:${await listen(server)}`;
  const environment = { SWITCHMASTER_API_TOKEN: exampleToken };
  const run = (...words: readonly string[]) => runCommand([...words, '--api', api], environment);
  return { asked, run };
}

t.test('maintenance begins with its length and reason, and says who ordered it', async (t) => {
  const { asked, run } = await start();
  const { code, stdout } = await run('maintenance', 'on', 'shard1', '--for', '30m', '--reason', 'kernel');
  t.equal(code, 0);
  t.equal(stdout.trim(), 'shard1  maintenance on  by ops@db1, since 2026-01-31T12:00:00.000Z, without an end (kernel)');
  t.match(asked, [{ state: 'on', scope: 'shard1', forMs: 1_800_000, reason: 'kernel', by: /@./, dryRun: false }]);
  const dry = await run('maintenance', 'on', '--dry-run');
  t.match(dry.stdout, /^all masters {2}maintenance would be on /);
  t.match(dry.stdout, /Nothing was changed\.$/m);
  t.match(asked[1], { scope: null, dryRun: true });
});

t.test('ending what is not on is reported, and names what is still on', async (t) => {
  const { run } = await start([all]);
  const nothing = await run('maintenance', 'off', 'shard1');
  t.equal(nothing.code, 0);
  t.match(
    nothing.stdout,
    /^shard1 {2}maintenance was not on\n {2}still on: all masters are .*; switchmaster maintenance off ends it/,
  );
  const ended = await run('maintenance', 'off');
  t.equal(ended.code, 0);
  t.equal(ended.stdout, 'all masters  maintenance off\n');
  const unknown = await run('maintenance', 'off', 'nobody');
  t.equal(unknown.code, 0);
  t.match(unknown.stdout, /^nobody {2}maintenance was not on/);
});

t.test('an unknown name is an error that suggests the most similar one', async (t) => {
  const { asked, run } = await start();
  for (const action of ['on', 'status']) {
    const { code, stderr } = await run('maintenance', action, 'shrad1');
    t.equal(code, 1, action);
    t.match(stderr, /did you mean shard1\?/);
  }
  t.strictSame(asked, []);
});

t.test('maintenance is shown by its own command, by status and by why', async (t) => {
  const { run } = await start([exampleMaintenance]);
  const own = await run('maintenance', 'status');
  t.equal(own.code, 0);
  t.match(
    own.stdout,
    /^shard1 {2}in maintenance {2}by ops@db1, .*\(kernel\)\n {2}\$ switchmaster maintenance off shard1$/m,
  );
  const json = JSON.parse((await run('maintenance', 'status', 'shard1', '--json')).stdout);
  t.strictSame(json, { maintenance: [exampleMaintenance] });
  const status = (await run('status', 'shard1')).stdout;
  t.match(status, /^shard1 {2}10\.0\.0\.5:6379 {2}passing {2}in maintenance /m);
  t.match(
    status,
    /^In maintenance:\n {2}well {2}shard1: shard1 is in maintenance: .*\n {4}\$ switchmaster maintenance status$/m,
  );
  t.match((await run('status', '-o', 'table')).stdout, / maintenance$/m);
  t.match((await run('why', 'shard1')).stdout, /^shard1 is in maintenance: by ops@db1/m);
  const none = await (await start()).run('maintenance', 'status', 'shard1');
  t.equal(none.stdout, 'shard1 is not in maintenance.\n');
});

t.test('the maintenance of all masters is shown beside one of them', async (t) => {
  const { run } = await start([all]);
  t.match((await run('status', 'shard1')).stdout, /maintenance: all masters are in maintenance: by ops/);
  t.match((await run('maintenance', 'status', 'shard1')).stdout, /^all masters {2}in maintenance {2}by ops/);
});

t.test('a wrong command line is refused before anything is asked', async (t) => {
  const { asked, run } = await start();
  for (const words of [
    ['maintenance'],
    ['maintenance', 'pause'],
    ['maintenance', 'on', '--for', 'soon'],
    ['maintenance', 'on', '--for', '31d'],
    ['maintenance', 'off', '--for', '30m'],
    ['maintenance', 'status', '--reason', 'x'],
  ])
    t.equal((await run(...words)).code, 2, words.join(' '));
  t.strictSame(asked, []);
});
