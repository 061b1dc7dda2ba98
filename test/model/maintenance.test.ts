import t from 'tap';
import {
  activeAt,
  commandToEnd,
  compareMaintenance,
  describeMaintenance,
  formatNote,
  lastingMs,
  type MaintenanceScope,
  type Maintenances,
  maintenanceOf,
  readNote,
  trackMaintenance,
} from '../../lib/model/maintenance.ts';
import { maintenanceKey, maintenanceScope } from '../../lib/model/maintenance-keys.ts';

const at = '2026-01-31T12:00:00.000Z';
const until = '2026-01-31T12:30:00.000Z';
const atMs = Date.parse(at);
const minutes = (count: number) => count * 60_000;
const noted = (over: object = {}) => JSON.stringify({ by: 'ops@db1', at, until, ...over });

t.test('a note is read as it was written', async (t) => {
  const note = { by: 'ops@db1', at, until, reason: 'kernel' };
  t.strictSame(readNote(formatNote(note)), { ...note, fault: null });
  t.equal(formatNote({ ...note, until: null, reason: null }), JSON.stringify({ by: 'ops@db1', at }));
  t.strictSame(readNote('{}'), { by: null, at: null, until: null, reason: null, fault: null });
});

for (const [value, fault] of [
  ['', /not a JSON object/],
  ['on', /not a JSON object/],
  ['null', /not a JSON object/],
  ['{"by": 1}', /"by" is not a string/],
  ['{"until": 1769860800}', /"until" is not a string/],
  ['{"until": "tomorrow"}', /"tomorrow" is not a time/],
  ['{"until": "2026-01-31T12:00"}', /is not a time/],
  ['{"at": "2026-13-01T00:00:00Z"}', /is not a time/],
  [noted({ until: '2026-01-31T11:00:00Z' }), /"until" is before "at"/],
] as const)
  t.test(`a value that cannot be read is maintenance without an end, with the reason: ${value}`, async (t) => {
    const note = readNote(value);
    t.match(note.fault, fault);
    t.equal(lastingMs(note, atMs), undefined);
    const all = observe(new Map(), { shard1: value });
    const found = maintenanceOf(all, 'shard1', minutes(100_000));
    t.match(found && describeMaintenance(found), fault);
    t.equal(maintenanceOf(all, 'shard2', 0), undefined, 'it concerns no other master');
  });

for (const [when, { wallMs, over }, left] of [
  ['at its beginning, with equal clocks', { wallMs: atMs }, 30],
  ['by a daemon that starts after ten minutes', { wallMs: atMs + minutes(10) }, 20],
  ['with a clock that is an hour behind', { wallMs: atMs - minutes(60) }, 30],
  ['with a clock that is ten minutes ahead', { wallMs: atMs + minutes(10) }, 20],
  ['after its end', { wallMs: atMs + minutes(31) }, 0],
  ['in another time zone', { wallMs: atMs, over: { until: '2026-01-31T13:30:00+01:00' } }, 30],
  ['without a beginning', { wallMs: atMs + minutes(5), over: { at: undefined } }, 25],
  ['without an end', { wallMs: atMs, over: { until: undefined } }, undefined],
] as const)
  t.test(`how long a note lasts that is first seen ${when}`, async (t) => {
    const lasts = lastingMs(readNote(noted(over)), wallMs);
    t.equal(lasts, left === undefined ? undefined : minutes(left));
  });

function observe(
  before: Maintenances,
  values: Readonly<Record<string, string>>,
  { nowMs = 0, wallMs = atMs } = {},
): Maintenances {
  const scoped = Object.entries(values).map(([name, text]): [MaintenanceScope, string] => [
    name === '*' ? null : name,
    text,
  ]);
  return trackMaintenance(before, new Map(scoped), { nowMs, wallMs });
}

t.test('the same value keeps its end, whatever happens to the clock; another value has its own end', async (t) => {
  const first = observe(new Map(), { shard1: noted() });
  const later = observe(first, { shard1: noted() }, { nowMs: minutes(20), wallMs: atMs - minutes(500) });
  t.ok(maintenanceOf(later, 'shard1', minutes(29)));
  t.equal(maintenanceOf(later, 'shard1', minutes(30)), undefined);
  const renewed = noted({ at: until, until: '2026-01-31T13:00:00.000Z' });
  const after = observe(later, { shard1: renewed }, { nowMs: minutes(30), wallMs: Date.parse(until) });
  t.ok(maintenanceOf(after, 'shard1', minutes(59)));
});

t.test("a master's own maintenance comes before that of all masters, and either keeps it", async (t) => {
  const both = observe(new Map(), { shard1: noted({ reason: 'own' }), '*': '{}' });
  t.equal(maintenanceOf(both, 'shard1', 0)?.scope, 'shard1');
  t.equal(maintenanceOf(both, 'shard2', 0)?.scope, null);
  t.equal(maintenanceOf(both, 'shard1', minutes(31))?.scope, null, 'its own has ended');
  t.equal(maintenanceOf(observe(both, { '*': '{}' }), 'shard1', 0)?.scope, null);
  t.equal(maintenanceOf(observe(both, {}), 'shard1', 0), undefined);
});

t.test('what begins, changes and ends is reported once', async (t) => {
  const say = (active: Maintenances, all: Maintenances, nowMs: number) =>
    compareMaintenance(active, { all, nowMs }).map(({ scope, kind, end }) => [scope, kind, end].join(' ').trim());
  const nothing = new Map();
  const one = observe(nothing, { shard1: noted() });
  t.strictSame(say(nothing, one, 0), ['shard1 begins']);
  t.strictSame(say(activeAt(one, 0), one, minutes(1)), []);
  const changed = observe(one, { shard1: noted({ reason: 'more' }) });
  t.strictSame(say(activeAt(one, 0), changed, minutes(1)), ['shard1 changes']);
  t.strictSame(say(activeAt(one, 0), observe(one, {}), minutes(1)), ['shard1 ends by hand']);
  t.strictSame(say(activeAt(one, 0), one, minutes(30)), ['shard1 ends in time']);
  t.strictSame(say(activeAt(one, minutes(30)), one, minutes(31)), [], 'its key is still there');
  t.strictSame(say(nothing, observe(nothing, { '*': '{}' }), 0), ['begins']);
});

t.test('the key of a master is escaped as that of its record, and leads back to its name', async (t) => {
  const naming = { environment: 'prod' };
  for (const name of ['shard1', 'a/b', '..', '100%', 'ä b', '*']) {
    const key = maintenanceKey(naming, name);
    t.equal(maintenanceScope(naming, key), name, key);
    t.equal(key.split('/').length, 4, key);
  }
  t.equal(maintenanceKey(naming, null), 'redis/prod/maintenance');
  t.equal(maintenanceScope(naming, 'redis/prod/maintenance'), null);
  for (const other of ['redis/prod/maintenance/', 'redis/prod/maintenance-window', 'redis/maintenance/shard1'])
    t.equal(maintenanceScope(naming, other), undefined, other);
});

t.test('the command that ends it quotes the name for a shell', async (t) => {
  t.equal(commandToEnd(null), 'switchmaster maintenance off');
  t.equal(commandToEnd("it's"), "switchmaster maintenance off 'it'\\''s'");
});
