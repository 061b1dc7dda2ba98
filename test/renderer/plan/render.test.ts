import t from 'tap';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { planRender, type RenderSnapshot } from '../../../lib/renderer/plan/render.ts';
import { emptyMemory, type GoodRendering } from '../../../lib/renderer/plan/rendering.ts';
import { namesMasters, urgencyOf } from '../../../lib/renderer/plan/urgency.ts';

function makeRendering(over: Partial<GoodRendering> = {}): GoodRendering {
  const masters = new Map([['a', '10.0.0.1:1']]);
  return {
    kind: 'rendered',
    text: 'x',
    digest: 'd',
    members: ['a', 'b'],
    lists: { filled: [], empty: [] },
    masters,
    records: 'not-read',
    warnings: [],
    ...over,
  };
}

function makeSnapshot(over: Partial<RenderSnapshot> = {}): RenderSnapshot {
  return {
    rendering: makeRendering(),
    file: 'different',
    memory: emptyMemory,
    guard: { maxLoss: 1, onEmpty: 'hold' },
    catalog: 'steady',
    upkeep: 'kept',
    takeover: 'refuse',
    ...over,
  };
}

const proven = {
  digest: 'p',
  members: ['a', 'b', 'c', 'd'],
  filled: ['service(web)'],
  masters: new Map([['a', '10.0.0.1:1']]),
};
const emptied = makeRendering({ lists: { filled: [], empty: ['key-tree(x/)', 'service(web)'] } });
const known = { ...emptyMemory, proven };
const error = new SwitchmasterError('template-failed', 'x');

const table: readonly (readonly [string, Partial<RenderSnapshot>, Record<string, unknown>])[] = [
  ['a gap', { rendering: { kind: 'pending', missing: ['key(a)'] } }, { kind: 'pending', missing: ['key(a)'] }],
  ['an error', { rendering: { kind: 'failed', error } }, { kind: 'invalid', error }],
  ['another text', {}, { kind: 'write', urgency: 'ordinary' }],
  ['no file', { file: 'absent' }, { kind: 'write', replaces: 'own-file' }],
  [
    'a file that switchmaster did not write',
    { file: 'foreign' },
    {
      kind: 'held',
      finding: { guard: 'foreign-file', lost: [], reason: /did not write it.*--adopt.*adopt: true.*conf\.d/ },
    },
  ],
  [
    'a file that switchmaster did not write, and too few servers',
    { file: 'foreign', guard: { minServers: 3, maxLoss: 1, onEmpty: 'hold' } },
    { kind: 'held', finding: { guard: 'foreign-file', reason: /did not write it.*2 of at least 3/ } },
  ],
  ['such a file, to be adopted', { file: 'foreign', takeover: 'adopt' }, { kind: 'write', replaces: 'foreign-file' }],
  [
    'such a file, to be adopted, and too few servers',
    { file: 'foreign', takeover: 'adopt', guard: { minServers: 3, maxLoss: 1, onEmpty: 'hold' } },
    { kind: 'held', finding: { guard: 'min-servers' } },
  ],
  [
    'such a file, and an approved text',
    { file: 'foreign', memory: { ...emptyMemory, approved: 'd' } },
    { kind: 'write', replaces: 'foreign-file' },
  ],
  [
    'such a file, before the answers are there',
    { file: 'foreign', rendering: { kind: 'pending', missing: ['key(a)'] } },
    { kind: 'pending' },
  ],
  ['the same text', { file: 'same' }, { kind: 'unchanged' }],
  [
    'the same text, not taken over',
    { file: 'same', memory: { ...emptyMemory, owed: { step: 'reload', reason: 'r' } } },
    { kind: 'reload-only', owed: { step: 'reload', reason: 'r' } },
  ],
  [
    'a text that was rolled back',
    { memory: { ...known, refused: { digest: 'd', reason: 'r' } } },
    { kind: 'refused', reason: 'r' },
  ],
  [
    'another text than was rolled back',
    { memory: { ...known, refused: { digest: 'e', reason: 'r' } } },
    { kind: 'write' },
  ],
  [
    'a list that has become empty',
    { memory: known, rendering: emptied },
    {
      kind: 'held',
      finding: { guard: 'emptied', reason: /nothing any more for service\(web\)\..*approve.*guard\.onEmpty/ },
    },
  ],
  [
    'an empty list that is followed',
    { memory: known, rendering: emptied, guard: { maxLoss: 1, onEmpty: 'follow' } },
    { kind: 'write' },
  ],
  [
    'an empty list where no server is needed',
    { memory: known, rendering: emptied, guard: { minServers: 0, maxLoss: 1, onEmpty: 'hold' } },
    { kind: 'write' },
  ],
  ['an empty list that was approved', { memory: { ...known, approved: 'd' }, rendering: emptied }, { kind: 'write' }],
  [
    'a list that was empty before',
    { memory: { ...known, proven: { ...proven, filled: [] } }, rendering: emptied },
    { kind: 'write' },
  ],
  ['half of the servers, unguarded', { memory: known }, { kind: 'write' }],
  [
    'half of the servers where half may go',
    { memory: known, guard: { maxLoss: 0.5, onEmpty: 'hold' } },
    { kind: 'write' },
  ],
  [
    'half of the servers where a third may go',
    { memory: known, guard: { maxLoss: 0.34, onEmpty: 'hold' } },
    {
      kind: 'held',
      finding: { guard: 'max-loss', lost: ['c', 'd'], reason: /^2 of 4 servers vanished \(c, d\) at once/ },
    },
  ],
  [
    'the same, released by an operator',
    { memory: { ...known, approved: 'd' }, guard: { maxLoss: 0.34, onEmpty: 'hold' } },
    { kind: 'write' },
  ],
  [
    'the same, where another text was released',
    { memory: { ...known, approved: 'e' }, guard: { maxLoss: 0.34, onEmpty: 'hold' } },
    { kind: 'held' },
  ],
  [
    'one server less after the index fell',
    { memory: known, catalog: 'fallen', rendering: makeRendering({ members: ['a', 'b', 'c'] }) },
    { kind: 'held', finding: { guard: 'fallen-catalog', lost: ['d'], reason: /Consul lost its state, and 1 of 4/ } },
  ],
  [
    'a master that moved after the index fell',
    {
      memory: known,
      catalog: 'fallen',
      rendering: makeRendering({ members: proven.members, masters: new Map([['a', '10.0.0.9:1']]) }),
    },
    { kind: 'write', urgency: 'master-change' },
  ],
  [
    'a new server after the index fell',
    { memory: known, catalog: 'fallen', rendering: makeRendering({ members: [...proven.members, 'e'] }) },
    { kind: 'write' },
  ],
  [
    'too few servers',
    { guard: { minServers: 3, maxLoss: 1, onEmpty: 'hold' } },
    { kind: 'held', finding: { guard: 'min-servers', reason: /2 of at least 3/ } },
  ],
  [
    'no record of any master',
    { rendering: makeRendering({ members: [], records: 'read' }) },
    { kind: 'held', finding: { reason: /no record of any master/ } },
  ],
  [
    'no master where none is needed',
    {
      rendering: makeRendering({ members: [], records: 'read' }),
      guard: { minServers: 0, maxLoss: 1, onEmpty: 'hold' },
    },
    { kind: 'write' },
  ],
  ['a seed where no file is', { upkeep: 'seed', file: 'absent' }, { kind: 'write' }],
  ['a seed, and another text', { upkeep: 'seed' }, { kind: 'left' }],
  ['a seed, and the same text', { upkeep: 'seed', file: 'same' }, { kind: 'left' }],
  ['a seed, and a gap', { upkeep: 'seed', rendering: { kind: 'pending', missing: ['key(a)'] } }, { kind: 'left' }],
  ['a seed, and an error', { upkeep: 'seed', rendering: { kind: 'failed', error } }, { kind: 'left' }],
  ['a seed that was released', { upkeep: 'seed', memory: { ...known, approved: 'd' } }, { kind: 'left' }],
  [
    'a seed without a reload',
    { upkeep: 'seed', memory: { ...emptyMemory, owed: { step: 'reload', reason: 'r' } } },
    { kind: 'reload-only', owed: { step: 'reload', reason: 'r' } },
  ],
  ['a service without instances', { rendering: makeRendering({ members: [] }) }, { kind: 'write' }],
];
for (const [name, over, expected] of table) {
  t.test(`${name}: ${String(expected.kind)}`, async (t) => {
    t.match(planRender(makeSnapshot(over)), expected);
  });
}

t.test('only a known master at another address is a change of master', async (t) => {
  const to = (masters: Record<string, string>) => ({ masters: new Map(Object.entries(masters)) });
  t.equal(urgencyOf(undefined, to({ a: 'x' })), 'ordinary');
  t.equal(urgencyOf(proven, to({ a: '10.0.0.1:1', b: 'new' })), 'ordinary');
  t.equal(urgencyOf(proven, to({})), 'ordinary');
  t.equal(urgencyOf(proven, to({ a: '10.0.0.2:1' })), 'master-change');
});

t.test('a change of what says who is master is not debounced', async (t) => {
  t.equal(namesMasters({ kind: 'key-tree', prefix: 'redis/record/' }), 'masters');
  t.equal(namesMasters({ kind: 'key-tree', prefix: 'redis/prod/record/' }), 'masters');
  t.equal(namesMasters({ kind: 'key', key: 'redis/master/shard1' }), 'masters');
  t.equal(namesMasters({ kind: 'service', service: 'redis-master' }), 'masters');
  t.equal(namesMasters({ kind: 'service', service: 'redis-replica' }), 'other');
  t.equal(namesMasters({ kind: 'key', key: 'app/redis/record/x' }), 'other');
});
