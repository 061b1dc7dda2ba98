import t from 'tap';
import type { MonitoredMaster, Monitoring } from '../../lib/model/provisioning.ts';
import { formatNote, parseDesired, parseNote } from '../../lib/model/provisioning.ts';
import { UntoldMemory } from '../../lib/provisioner/memory.ts';
import { type ProvisioningSituation, planProvisioning, untoldSettings } from '../../lib/provisioner/plan.ts';

const address = { host: '10.0.0.1', port: 6379 };
const desired = { name: 'm', address, quorum: 2, options: { 'down-after-milliseconds': '1000' } };
const known: MonitoredMaster = {
  name: 'm',
  address,
  quorum: 2,
  state: 'idle',
  options: { 'down-after-milliseconds': '1000' },
};

function at(host: string, masters: readonly MonitoredMaster[]): Monitoring {
  return { sentinel: { host, port: 26379 }, masters };
}

function plan(over: Partial<ProvisioningSituation>): readonly string[] | string {
  const base = { name: 'm', desired, provisioned: true, record: undefined, knownSentinels: 3, untold: {} };
  const monitoring = [at('s1', [known]), at('s2', [known]), at('s3', [known])];
  const made = planProvisioning({ ...base, monitoring, taught: new Set<string>(), ...over });
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
    plan({
      monitoring: [at('s1', [known]), at('s2', []), at('s3', [known])],
      untold: { 'auth-pass': 'x' },
      taught: new Set(['s1:26379', 's3:26379']),
    }),
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
  t.match(plan({ monitoring: [at('s1', [{ ...known, state: 'failing-over' }]), at('s2', [])] }), /failing over/);
  t.match(plan({ monitoring: [at('s1', [{ ...known, state: 'down' }]), at('s2', [])] }), /is down: it is not touched/);
  t.strictSame(plan({ desired: undefined, provisioned: false }), []);
  t.strictSame(plan({ desired: undefined }), ['remove at s1', 'remove at s2', 'remove at s3']);
});

t.test('what Sentinels do not tell is taught to those that have not been taught it', async (t) => {
  const untold = untoldSettings(
    { ...desired, options: { ...desired.options, 'master-reboot-down-after-period': '5' } },
    { 'auth-pass': 'x' },
  );
  t.strictSame(untold, { 'auth-pass': 'x', 'master-reboot-down-after-period': '5' });
  const taught = new Set(['s1:26379', 's2:26379']);
  t.strictSame(plan({ untold: { 'auth-pass': 'x' }, taught }), ['set at s3 {"auth-pass":"x"}']);
  const down = { ...known, state: 'down' } as const;
  const monitoring = [at('s1', [down]), at('s2', [{ ...known, quorum: 1 }])];
  t.strictSame(
    plan({ untold: { 'auth-pass': 'x' }, monitoring }),
    ['set at s1 {"auth-pass":"x"}', 'set at s2 {"auth-pass":"x"}'],
    'an old password may be why it is down',
  );
  t.match(plan({ untold: { 'auth-pass': 'x' }, taught, monitoring }), /is down: it is not touched/);
});

t.test('an option that Sentinel tells only once it is set is set', async (t) => {
  const options = { ...desired.options, 'notification-script': '/bin/x' };
  const without = { ...known, options: { ...known.options, 'notification-script': '' } };
  t.strictSame(plan({ desired: { ...desired, options }, monitoring: [at('s1', [without]), at('s2', [without])] }), [
    'set at s1 {"notification-script":"/bin/x"}',
    'set at s2 {"notification-script":"/bin/x"}',
  ]);
});

t.test('a note tells what was taught, and any other text that something was', async (t) => {
  const note = { untold: 'scrypt:a:b', sentinels: ['s1:26379'] };
  t.strictSame(parseNote(formatNote(note)), note);
  for (const text of ['switchmaster', '', '[]', 'null', formatNote({ untold: undefined, sentinels: [] })])
    t.strictSame(parseNote(text), { untold: undefined, sentinels: [] }, text);
});

t.test('settings that were taught are known again, and two processes do not teach in turns', async (t) => {
  const [one, other] = [new UntoldMemory(), new UntoldMemory()];
  const [first, second] = [{ 'auth-pass': 'old' }, { 'auth-pass': 'new' }];
  t.equal(await one.standing('m', { settings: {}, note: undefined }), 'none');
  t.equal(await one.standing('m', { settings: first, note: undefined }), 'untaught');
  const note = { untold: await one.taught('m', { settings: first, note: undefined }), sentinels: [] };
  t.notMatch(note.untold, 'old');
  t.equal(await one.standing('m', { settings: first, note }), 'taught');
  t.equal(await other.standing('m', { settings: first, note }), 'taught', 'by another process');
  t.equal(await other.standing('m', { settings: second, note }), 'untaught');
  const newer = { untold: await other.taught('m', { settings: second, note }), sentinels: [] };
  t.equal(await other.standing('m', { settings: second, note: newer }), 'taught');
  t.equal(await one.standing('m', { settings: first, note: newer }), 'overruled');
  t.equal(await one.standing('m', { settings: second, note: newer }), 'taught', 'once it has them too');
  t.equal(await one.standing('m', { settings: second, note: { untold: 'nonsense', sentinels: [] } }), 'overruled');
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
