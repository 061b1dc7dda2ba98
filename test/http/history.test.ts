import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import { historyAnswer, sentinelsAnswer, whyAnswer } from '../../lib/http/shapes.ts';
import { Journal } from '../../lib/telemetry/journal.ts';
import { exampleReport } from '../telemetry/report.ts';
import { serve } from './serve.ts';
import { exampleMaster, exampleViews } from './views.ts';

function journalOf(): Journal {
  const journal = new Journal({ capacity: 100 });
  const details = {
    cause: 'failover',
    votes: [{ sentinel: '10.0.0.5:26379', master: '10.0.0.6:6379', epoch: 8, condition: 'up' }],
    role: { address: '10.0.0.6:6379', role: 'master' },
    stages: { observedMs: 1.2, committedMs: 3.4 },
  };
  journal.observe(exampleReport({ kind: 'applied', summary: 'master is 10.0.0.6:6379', details }));
  const cause = new Error('connect ECONNREFUSED');
  const error = new SwitchmasterError('consul-unreachable', 'Consul does not answer', { cause });
  journal.observe(exampleReport({ kind: 'failed', error }, { failures: 3 }));
  journal.observe(exampleReport({ kind: 'applied', summary: 'written' }, { loop: 'renderer', key: 'haproxy.cfg' }));
  return journal;
}

t.test('history is newest first, of one loop or key where asked', async (t) => {
  const { server } = serve(t, exampleViews({ journal: journalOf() }));
  const all = (await server.inject('/v1/history')).json();
  t.ok(historyAnswer.safeParse(all).success);
  const kinds = async (url: string) =>
    (await server.inject(url)).json().entries.map(({ loop, kind }: Record<string, string>) => `${loop} ${kind}`);
  t.strictSame(await kinds('/v1/history'), ['renderer applied', 'bridge failed', 'bridge applied']);
  t.strictSame(await kinds('/v1/history?loop=bridge&limit=1'), ['bridge failed']);
  t.strictSame(await kinds('/v1/history?key=haproxy.cfg'), ['renderer applied']);
  for (const limit of ['0', 'x', '1001', '1.5', '']) {
    t.equal((await server.inject(`/v1/history?limit=${limit}`)).statusCode, 400, limit);
  }
});

t.test('why has the history of a master in sentences and data', async (t) => {
  const { server } = serve(t, exampleViews({ masters: [exampleMaster], journal: journalOf() }));
  const answer = (await server.inject('/v1/why/shard1')).json();
  t.ok(whyAnswer.safeParse(answer).success);
  const [failed, moved] = answer.story;
  t.match(failed.sentences, [
    /Failed: Consul does not answer$/,
    /^Woken by \+switch-master/,
    'It took 4 ms.',
    'Because: connect ECONNREFUSED',
    'It was failure 3 in a row.',
  ]);
  t.match(moved.sentences, [
    /Done: master is 10\.0\.0\.6:6379$/,
    'Woken by +switch-master from sentinel 127.0.0.1:1, 5 ms before.',
    'Sentinel 10.0.0.5:26379 names 10.0.0.6:6379 at epoch 8 (up).',
    '10.0.0.6:6379 answered ROLE: master.',
    'Since the hint: observed after 1.2 ms, committed after 3.4 ms.',
  ]);
  t.equal((await server.inject('/v1/why/nobody')).statusCode, 404);
});

t.test('Sentinels are shown with what each says of each master', async (t) => {
  const masters = [exampleMaster, { ...exampleMaster, name: 'shard2' }];
  const wrong = { address: { host: '10.0.0.9', port: 6379 }, id: null, up: false, error: 'is a Redis' };
  const { server } = serve(t, exampleViews({ masters, sentinels: [wrong] }));
  const answer = (await server.inject('/v1/sentinels')).json();
  t.ok(sentinelsAnswer.safeParse(answer).success);
  t.match(answer.sentinels, [
    { id: 'abc', up: true, masters: [{ name: 'shard1', vote: { epoch: 7 } }, { name: 'shard2' }] },
    { up: false, error: 'is a Redis', masters: [] },
  ]);
});

t.test('metrics are text for Prometheus', async (t) => {
  const { server } = serve(t);
  const answer = await server.inject('/metrics');
  t.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.equal(answer.body, 'up 1\n');
});

const routes = [
  '/',
  '/check/cluster',
  '/check/master',
  '/check/replica',
  '/check/template',
  '/live',
  '/metrics',
  '/openapi.json',
  '/page/{file}',
  '/ready',
  '/v1/clusters',
  '/v1/clusters/{name}',
  '/v1/clusters/{name}/failover',
  '/v1/desired',
  '/v1/events',
  '/v1/health',
  '/v1/health/codes',
  '/v1/history',
  '/v1/instances',
  '/v1/maintenance',
  '/v1/masters',
  '/v1/masters/{name}',
  '/v1/masters/{name}/failover',
  '/v1/masters/{name}/rebase',
  '/v1/node',
  '/v1/sentinels',
  '/v1/templates',
  '/v1/templates/{name}',
  '/v1/templates/{name}/approve',
  '/v1/templates/{name}/render',
  '/v1/why/{name}',
];

t.test('the API describes every route that it has, and no other', async (t) => {
  const { server } = serve(t);
  const document = (await server.inject('/openapi.json')).json();
  t.equal(document.openapi, '3.1.0');
  t.strictSame(Object.keys(document.paths).sort(), routes);
  for (const [path, methods] of Object.entries(
    document.paths as Record<string, Record<string, { summary?: string }>>,
  )) {
    for (const [method, route] of Object.entries(methods)) t.type(route.summary, 'string', `${method} ${path}`);
  }
  t.match(document.paths['/check/master'].get.parameters, [
    { name: 'address', in: 'query', required: true },
    { name: 'name', in: 'query', required: false },
  ]);
});

t.test('why has the evidence of a crash', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const details = {
    cause: 'crash',
    sign: { kind: 'refused', refusals: 4, forMs: 61 },
    bridges: [{ bridge: 'a/1', place: 'beside', sees: 'crash' }],
    sentinels: [{ sentinel: '10.0.0.5:26379', link: 'down', condition: 'up' }],
    replicas: [{ address: '10.0.0.6:6379', link: 'down', wasInStep: true }],
  };
  journal.observe(exampleReport({ kind: 'applied', summary: '10.0.0.5:6379 has crashed', details }, { loop: 'crash' }));
  const { server } = serve(t, exampleViews({ masters: [exampleMaster], journal }));
  const [{ sentences }] = (await server.inject('/v1/why/shard1')).json().story;
  t.strictSame(sentences.slice(2, 6), [
    'Its host refused 4 connections within 61 ms.',
    'Bridge a/1 beside it saw the crash.',
    'Sentinel 10.0.0.5:26379 had no connection to it (up).',
    'Replica 10.0.0.6:6379 was in step; its link: down.',
  ]);
});
