import t from 'tap';
import type { MonitoredMaster, Monitoring } from '../../lib/model/provisioning.ts';
import { parseDesired } from '../../lib/model/provisioning.ts';
import { type ProvisioningSituation, planProvisioning } from '../../lib/plan/provisioning.ts';

const address = { host: '10.0.0.1', port: 6379 };
const desired = { name: 'm', address, quorum: 2, options: { 'down-after-milliseconds': '1000' } };
const known: MonitoredMaster = {
  name: 'm',
  address,
  quorum: 2,
  busy: false,
  options: { 'down-after-milliseconds': '1000' },
};

function at(host: string, masters: readonly MonitoredMaster[]): Monitoring {
  return { sentinel: { host, port: 26379 }, masters };
}

function plan(over: Partial<ProvisioningSituation>): readonly string[] | string {
  const base = { name: 'm', desired, provisioned: true, record: undefined, knownSentinels: 3, credentials: {} };
  const monitoring = [at('s1', [known]), at('s2', [known]), at('s3', [known])];
  const made = planProvisioning({ ...base, monitoring, ...over });
  if (made.kind === 'wait') return made.summary;
  return made.steps.map((step) => {
    const what =
      step.kind === 'monitor'
        ? ` ${step.address.host} ${step.quorum}`
        : step.kind === 'set'
          ? ` ${JSON.stringify(step.options)}`
          : '';
    return `${step.kind} at ${step.sentinel.host}${what}`;
  });
}

t.test('Sentinels are taught by difference', async (t) => {
  t.strictSame(plan({}), []);
  t.strictSame(
    plan({ monitoring: [at('s1', [known]), at('s2', []), at('s3', [known])], credentials: { 'auth-pass': 'x' } }),
    ['monitor at s2 10.0.0.1 2', 'set at s2 {"auth-pass":"x","down-after-milliseconds":"1000"}'],
  );
  const other = { ...known, quorum: 1, options: { 'down-after-milliseconds': '5000' } };
  t.strictSame(plan({ monitoring: [at('s1', [other]), at('s2', [known])] }), [
    'set at s1 {"quorum":"2","down-after-milliseconds":"1000"}',
  ]);
  const moved = { ...known, address: { host: '10.0.0.2', port: 6379 } };
  t.strictSame(plan({ monitoring: [at('s1', [moved]), at('s2', [moved]), at('s3', [])] }).slice(0, 1), [
    'monitor at s3 10.0.0.2 2',
  ]);
});

t.test('nothing is done without a majority, during a failover, or to what was not taught', async (t) => {
  t.match(plan({ monitoring: [at('s1', [])] }), /only 1 of 3 Sentinels answer/);
  t.match(plan({ monitoring: [at('s1', [{ ...known, busy: true }]), at('s2', [])] }), /failing over/);
  t.strictSame(plan({ desired: undefined, provisioned: false }), []);
  t.strictSame(plan({ desired: undefined }), ['remove at s1', 'remove at s2', 'remove at s3']);
});

t.test('a desired master is read strictly', async (t) => {
  t.match(parseDesired('m', '{"host":"a","port":1,"quorum":1,"options":{"parallel-syncs":1}}'), {
    options: { 'parallel-syncs': '1' },
  });
  for (const text of [
    '',
    '[]',
    '{}',
    '{"host":"a","port":0,"quorum":1}',
    '{"host":"a","port":1,"quorum":0}',
    '{"host":"a b","port":1,"quorum":1}',
  ])
    t.equal(parseDesired('m', text), undefined, text);
  t.equal(parseDesired('a b', '{"host":"a","port":1,"quorum":1}'), undefined);
});
