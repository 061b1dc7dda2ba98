import t from 'tap';
import { type CalmSituation, isCalm } from '../../../lib/bridge/plan/calm.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import { all } from './decision-table.ts';
import { at, record, view } from './world.ts';

const known = { bytes: 0, behindMs: 10 };
const well: CalmSituation = {
  record: record('A'),
  opinion: masterChecks.up,
  views: all('A', 5),
  knownSentinels: 3,
  members: [at('A'), at('B'), at('C')],
  lags: [known, known, known],
  problems: 0,
};

t.test('a master is calm where a hint comes with whatever may happen to it', async (t) => {
  t.ok(isCalm(well));
  t.ok(isCalm({ ...well, record: record('A', { previous: at('B') }) }), 'the former master is a replica');
});

t.test('a master about which no hint may come is never calm', async (t) => {
  const others = [view(1, 'A', 5, { replicas: [] })];
  const rows: Readonly<Record<string, Partial<CalmSituation>>> = {
    'no record': { record: undefined },
    'no opinion yet': { opinion: undefined },
    'no Sentinel monitors it': { opinion: masterChecks.unmonitored, views: [], knownSentinels: 0 },
    'only a bridge reaches it': { opinion: masterChecks.answering },
    'the opinion is of the promotion': { opinion: masterChecks.promoted },
    'a Sentinel does not answer': { views: all('A', 5).slice(1) },
    'a Sentinel names another master': { views: [...all('A', 5).slice(1), view(1, 'B', 4)] },
    'no Sentinel lists the former master any more': {
      record: record('A', { previous: at('B') }),
      members: [],
      views: others,
      knownSentinels: 1,
    },
    'no Sentinel lists a node any more that was one of it': { members: [at('A'), at('Z')] },
    'the lag of a replica is unknown': { lags: [known, undefined] },
    'the lag of a replica was not measured for long': { lags: [known, { bytes: null, behindMs: 60_000 }] },
    'it has a problem': { problems: 1 },
  };
  for (const [when, changes] of Object.entries(rows)) t.notOk(isCalm({ ...well, ...changes }), when);
});
