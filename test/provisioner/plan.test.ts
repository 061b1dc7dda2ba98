import t from 'tap';
import type { MonitoredMaster, Monitoring, ProvisioningNote } from '../../lib/model/provisioning.ts';
import { formatNote, parseDesired, parseNote } from '../../lib/model/provisioning.ts';
import { HiddenSettingsMemory } from '../../lib/provisioner/memory.ts';
import {
  hiddenSettings,
  type ProvisioningPlan,
  type ProvisioningSituation,
  planProvisioning,
} from '../../lib/provisioner/plan.ts';

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

const unhashed: ProvisioningNote = { settingsHash: undefined, sentinels: [] };
const settings = { 'auth-pass': 'x' };
const outdated = { settings, state: 'outdated' } as const;

/** The hidden settings are written, at these Sentinels. */
function writtenAt(...sentinels: readonly string[]): Partial<ProvisioningSituation> {
  return { hidden: { settings, state: 'written' }, note: { settingsHash: 'scrypt:a:b', sentinels } };
}

function planFully(over: Partial<ProvisioningSituation>): ProvisioningPlan {
  const base = { name: 'm', desired, note: unhashed, record: undefined, knownSentinels: 3, voters: [] };
  const monitoring = [at('s1', [known]), at('s2', [known]), at('s3', [known])];
  return planProvisioning({ ...base, monitoring, hidden: { settings: {}, state: 'none' }, ...over });
}

function plan(over: Partial<ProvisioningSituation>): readonly string[] | string {
  const made = planFully(over);
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

t.test('a Sentinel gets only the settings in which it differs', async (t) => {
  t.strictSame(plan({}), []);
  t.strictSame(
    plan({
      monitoring: [at('s1', [known]), at('s2', []), at('s3', [known])],
      ...writtenAt('s1:26379', 's3:26379'),
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

t.test(
  'nothing changes without a majority, during a failover, or for a master that no provisioner configures',
  async (t) => {
    t.match(plan({ monitoring: [at('s1', [])] }), /only 1 of 3 Sentinels answer/);
    t.match(plan({ monitoring: [at('s1', [{ ...known, state: 'failing-over' }]), at('s2', [])] }), /failing over/);
    t.match(
      plan({ monitoring: [at('s1', [{ ...known, state: 'down' }]), at('s2', [])] }),
      /is down: nothing changes until it is up/,
    );
    t.strictSame(plan({ desired: undefined, note: undefined }), []);
    t.strictSame(plan({ desired: undefined }), ['remove at s1', 'remove at s2', 'remove at s3']);
  },
);

t.test('settings that Sentinels do not return go to the Sentinels without them', async (t) => {
  const hidden = hiddenSettings(
    { ...desired, options: { ...desired.options, 'master-reboot-down-after-period': '5' } },
    { 'auth-pass': 'x' },
  );
  t.strictSame(hidden, { 'auth-pass': 'x', 'master-reboot-down-after-period': '5' });
  const written = writtenAt('s1:26379', 's2:26379');
  t.strictSame(plan(written), ['set at s3 {"auth-pass":"x"}']);
  const down = { ...known, state: 'down' } as const;
  const monitoring = [at('s1', [down]), at('s2', [{ ...known, quorum: 1 }])];
  t.strictSame(
    plan({ hidden: outdated, monitoring }),
    ['set at s1 {"auth-pass":"x"}', 'set at s2 {"auth-pass":"x"}'],
    'an old password may be why it is down',
  );
  t.match(plan({ ...written, monitoring }), /is down: nothing changes until it is up/);
});

t.test('an option that Sentinel returns only once it is set is set', async (t) => {
  const options = { ...desired.options, 'notification-script': '/bin/x' };
  const without = { ...known, options: { ...known.options, 'notification-script': '' } };
  t.strictSame(plan({ desired: { ...desired, options }, monitoring: [at('s1', [without]), at('s2', [without])] }), [
    'set at s1 {"notification-script":"/bin/x"}',
    'set at s2 {"notification-script":"/bin/x"}',
  ]);
});

t.test('the note names the Sentinels that have the hidden settings, and goes with the master', async (t) => {
  const notes = (over: Partial<ProvisioningSituation>) => {
    const made = planFully(over);
    return made.kind === 'wait' ? made : { before: made.noteBefore, after: made.noteAfter };
  };
  const all = ['s1:26379', 's2:26379', 's3:26379'];
  t.strictSame(notes({}), { before: 'keep', after: { kind: 'keep' } });
  t.strictSame(notes({ note: undefined, hidden: outdated }), {
    before: 'create',
    after: { kind: 'settings', sentinels: all },
  });
  t.strictSame(notes(writtenAt('s1:26379')), { before: 'keep', after: { kind: 'settings', sentinels: all } });
  t.strictSame(notes(writtenAt(...all)), { before: 'keep', after: { kind: 'keep' } });
  t.strictSame(notes({ ...writtenAt('s9:26379'), hidden: { settings, state: 'superseded' } }), {
    before: 'keep',
    after: { kind: 'keep' },
  });
  t.strictSame(notes({ desired: undefined }), { before: 'keep', after: { kind: 'delete' } });
  const two = [at('s1', [known]), at('s2', [known])];
  t.strictSame(notes({ desired: undefined, monitoring: two }), { before: 'keep', after: { kind: 'keep' } });
  t.strictSame(
    notes({ desired: undefined, monitoring: two, knownSentinels: 6 }),
    { before: 'keep', after: { kind: 'keep' } },
    'a Sentinel of other masters may have it too, from before',
  );
});

t.test('a note is read as it was written, and text of others is none', async (t) => {
  t.equal(
    formatNote({ settingsHash: 'scrypt:a:b', sentinels: [] }),
    '{"by":"switchmaster","untold":"scrypt:a:b","sentinels":[]}',
    'as earlier versions read it',
  );
  const note = { settingsHash: 'scrypt:a:b', sentinels: ['s1:26379'] };
  t.strictSame(parseNote(formatNote(note)), note);
  for (const text of ['switchmaster', formatNote(unhashed)]) t.strictSame(parseNote(text), unhashed, text);
  for (const text of ['', '[]', 'null', '{"by":"me"}', 'keep', '{"host":"10.0.0.5","port":6379}'])
    t.equal(parseNote(text), undefined, text);
});

t.test(
  'hidden settings are recognized by their hash, and two processes do not overwrite each other for ever',
  async (t) => {
    const [one, other] = [new HiddenSettingsMemory(), new HiddenSettingsMemory()];
    const [first, second] = [{ 'auth-pass': 'old' }, { 'auth-pass': 'new' }];
    t.equal(await one.compare('m', { settings: {}, note: undefined }), 'none');
    t.equal(await one.compare('m', { settings: first, note: undefined }), 'outdated');
    const note = { settingsHash: await one.hashWritten('m', { settings: first, note: undefined }), sentinels: [] };
    t.notMatch(note.settingsHash, 'old');
    t.equal(await one.compare('m', { settings: first, note }), 'written');
    t.equal(await other.compare('m', { settings: first, note }), 'written', 'by another process');
    t.equal(await other.compare('m', { settings: second, note }), 'outdated');
    const newer = { settingsHash: await other.hashWritten('m', { settings: second, note }), sentinels: [] };
    t.equal(await other.compare('m', { settings: second, note: newer }), 'written');
    t.equal(await one.compare('m', { settings: first, note: newer }), 'superseded');
    t.equal(await one.compare('m', { settings: second, note: newer }), 'written', 'once it has them too');
    t.equal(
      await one.compare('m', { settings: second, note: { settingsHash: 'nonsense', sentinels: [] } }),
      'superseded',
    );
  },
);

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
