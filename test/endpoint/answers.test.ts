import t from 'tap';
import { describeEndpoint, describeMaster, describeReplica } from '../../lib/endpoint/plan/answers.ts';
import type { ServedMaster } from '../../lib/endpoint/plan/view.ts';
import type { SentinelView } from '../../lib/model/sentinel.ts';
import { makeRecord } from '../template/world.ts';

const record = makeRecord();
const [first] = record.replicas;
if (first === undefined) throw new Error('there is a replica');
const replica = { address: first, recorded: first, condition: 'up', link: 'ok' } as const;
const master: ServedMaster = {
  ...{ name: record.name, record, instances: [], address: record.master },
  ...{ condition: 'up', replicas: [replica] },
};
const view = { masters: new Map([[master.name, master]]), endpoints: [], isListed: true };
const seen: SentinelView = {
  ...{ sentinelId: 's', sentinel: { host: '10.0.0.9', port: 26379 }, master: record.master, configEpoch: 1 },
  ...{
    condition: 'o_down',
    linked: false,
    quorum: 2,
    knownSentinels: 3,
    failoverTimeoutMs: 60_000,
    downAfterMs: 5_000,
  },
  ...{ suspectedForMs: 700, downForMs: 300, parallelSyncs: 2 },
  replicas: [
    { address: first, condition: 'link-down', priority: 50, masterLinkDownMs: 900, infoAgeMs: 40, offset: 77 },
  ],
};

/** The names of the fields, which a real Sentinel gives in this order. */
const namesOf = (fields: ReadonlyMap<string, string>) => [...fields.keys()];

t.test('a server that is down has the fields that a Sentinel adds, before down-after-milliseconds', async (t) => {
  const fields = describeMaster({ ...master, condition: 'o_down' }, { view, sentinels: [seen] });
  const at = namesOf(fields).indexOf('last-ping-reply');
  t.strictSame(namesOf(fields).slice(at + 1, at + 4), ['s-down-time', 'o-down-time', 'down-after-milliseconds']);
  t.match(Object.fromEntries(fields), {
    ...{ flags: 's_down,o_down,master', 's-down-time': '700', 'o-down-time': '300' },
    ...{ 'down-after-milliseconds': '5000', 'parallel-syncs': '2', quorum: '2' },
  });
  const suspected = describeMaster({ ...master, condition: 's_down' }, { view, sentinels: [] });
  t.match(Object.fromEntries(suspected), { flags: 's_down,master', 's-down-time': '0' });
  t.notOk(suspected.has('o-down-time'));
  t.notOk(describeMaster(master, { view, sentinels: [seen] }).has('s-down-time'));
  const dead = describeReplica({ ...replica, condition: 's_down', link: 'err' }, { master, sentinels: [] });
  t.match(Object.fromEntries(dead), { flags: 's_down,slave', 's-down-time': '0', 'master-link-status': 'err' });
});

t.test("a replica has the Sentinels' numbers on a node with a bridge, and defaults on another", async (t) => {
  t.match(Object.fromEntries(describeReplica(replica, { master, sentinels: [seen] })), {
    ...{ 'slave-priority': '50', 'slave-repl-offset': '77', 'master-link-down-time': '900', 'info-refresh': '40' },
    'down-after-milliseconds': '5000',
  });
  t.match(Object.fromEntries(describeReplica(replica, { master, sentinels: [] })), {
    ...{ 'slave-priority': '100', 'slave-repl-offset': '0', 'master-link-down-time': '0' },
    'down-after-milliseconds': '30000',
  });
  const endpoint = { id: '1'.repeat(40), address: record.master };
  t.equal(describeEndpoint(endpoint, [seen]).get('down-after-milliseconds'), '5000');
});
