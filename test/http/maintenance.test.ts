import t from 'tap';
import { maintenanceAnswer, maintenanceOrderAnswer } from '../../lib/http/maintenance-shapes.ts';
import type { MaintenanceOrder, MaintenanceState } from '../../lib/http/views.ts';
import { exampleToken, serve } from './serve.ts';
import { exampleMaintenance, exampleMaster, exampleViews } from './views.ts';

function start(maintenance: readonly MaintenanceState[] = [exampleMaintenance]) {
  const asked: MaintenanceOrder[] = [];
  const order = async (given: MaintenanceOrder) => {
    asked.push(given);
    return { changed: true, before: null, after: exampleMaintenance };
  };
  const masters = [{ ...exampleMaster, maintenance: exampleMaintenance }];
  const { server, defects } = serve(t, exampleViews({ masters, maintenance, maintenanceControls: { order } }));
  const post = (payload: object, token = exampleToken) =>
    server.inject({ method: 'POST', url: '/v1/maintenance', headers: { authorization: `Bearer ${token}` }, payload });
  return { server, defects, asked, post };
}

t.test('maintenance is read, and shown with its master', async (t) => {
  const { server } = start();
  const answer = (await server.inject('/v1/maintenance')).json();
  t.strictSame(maintenanceAnswer.parse(answer), { maintenance: [exampleMaintenance] });
  t.strictSame((await server.inject('/v1/masters/shard1')).json().maintenance, exampleMaintenance);
  t.strictSame((await server.inject('/v1/why/shard1')).json().maintenance, exampleMaintenance);
});

t.test('it is ordered with the token, for one master or for all', async (t) => {
  const { asked, post, defects } = start();
  const body = { state: 'on', master: 'a/b', for: '30m', reason: 'kernel', by: 'ops@db1', dryRun: true };
  const answer = await post(body);
  t.equal(answer.statusCode, 200);
  t.match(maintenanceOrderAnswer.parse(answer.json()), { changed: true, dryRun: true, maintenance: [{ state: 'on' }] });
  t.equal((await post({ state: 'off' })).statusCode, 200);
  t.match(asked, [
    { state: 'on', scope: 'a/b', forMs: 1_800_000, reason: 'kernel', by: 'ops@db1', dryRun: true },
    { state: 'off', scope: null, dryRun: false, by: String },
  ]);
  t.equal((await post({ state: 'on' }, 'wrong')).statusCode, 401);
  t.equal(asked.length, 2);
  t.strictSame(defects, []);
});

t.test('an invalid order is refused', async (t) => {
  const { asked, post } = start();
  for (const body of [
    {},
    { state: 'paused' },
    { state: 'on', for: '0s' },
    { state: 'on', for: '31d' },
    { state: 'on', for: 'soon' },
    { state: 'off', for: '30m' },
    { state: 'off', reason: 'none' },
    { state: 'on', master: '' },
    { state: 'on', reason: 'two\nlines' },
    { state: 'on', until: '2026-01-01T00:00:00Z' },
  ])
    t.equal((await post(body)).statusCode, 400, JSON.stringify(body));
  t.strictSame(asked, []);
});

t.test(
  'health has a note for it, a warning for a value that cannot be read, and nothing for masters of others',
  async (t) => {
    const all = { ...exampleMaintenance, master: null };
    const rubbish = { ...exampleMaintenance, problem: 'it is not a JSON object', text: 'It cannot be read.' };
    for (const [maintenance, level, reasons] of [
      [
        exampleMaintenance,
        'well',
        [{ code: 'maintenance', level: 'well', subject: { kind: 'master', name: 'shard1' } }],
      ],
      [all, 'well', [{ code: 'maintenance', subject: { kind: 'part', name: 'maintenance' } }]],
      [rubbish, 'warning', [{ code: 'maintenance-unreadable', level: 'warning', text: 'It cannot be read.' }]],
      [{ ...exampleMaintenance, master: 'elsewhere' }, 'well', []],
      [{ ...exampleMaintenance, state: 'ended' as const }, 'well', []],
    ] as const) {
      const { server } = start([maintenance]);
      const health = (await server.inject('/v1/health')).json();
      const about = health.reasons.filter(({ code }: { code: string }) => code.startsWith('maintenance'));
      t.match(about, reasons);
      t.equal(about.length, reasons.length);
      t.ok(level === 'well' || health.level === level);
    }
  },
);
