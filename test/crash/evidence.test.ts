import t from 'tap';
import { CrashEvidence, type CrashEvidenceOptions } from '../../lib/crash/evidence.ts';
import type { KvEntry } from '../../lib/model/catalog.ts';
import { contradictBridges } from '../../lib/model/crash.ts';

/* Who counts as a bridge that could see a crash of shard1 at 10.0.0.5:6379, by the keys in Consul. */
const prefix = 'redis/crash/';
const master = { host: '10.0.0.5', port: 6379 };

const key = (name: string, value: object | string, session: string | undefined = 'session'): KvEntry => ({
  key: `${prefix}${name}`,
  value: typeof value === 'string' ? value : JSON.stringify(value),
  modifyIndex: 1,
  ...(session === undefined ? {} : { session }),
});
const judging = (bridge: string, changes: object = {}) =>
  key(`bridge/${bridge}`, { bridge, masters: ['*'], beside: [], ...changes });
const beside = (bridge: string) => judging(bridge, { beside: ['shard1'] });
const seeing = (bridge: string, at = '10.0.0.5:6379') => key(`evidence/shard1/${bridge}`, { bridge, master: at });

/** The key of a bridge that has no session, such as one of a backup. */
const copied = ({ session: _, ...entry }: KvEntry): KvEntry => entry;

function contradictionOf(entries: readonly KvEntry[] | undefined): string | undefined {
  const state = entries === undefined ? { kind: 'pending' } : { kind: 'current', index: 1n, resets: 0, value: entries };
  const watches = { follow: () => ({ state, release: () => undefined }) };
  const options = { client: {}, watches, prefix, bridgeId: 'a', masters: ['*'] } as unknown as CrashEvidenceOptions;
  return contradictBridges(new CrashEvidence(options).bridges('shard1', master));
}

const proven: Readonly<Record<string, readonly KvEntry[]>> = {
  'a lone bridge sees it': [judging('a'), seeing('a')],
  'a bridge of an earlier version, or with `wait`, or without the right to write, has no key': [
    judging('a'),
    seeing('a'),
    seeing('b'),
  ],
  'two of three see it, and nobody registers it': [judging('a'), judging('b'), judging('c'), seeing('a'), seeing('c')],
  'the bridge beside it sees it, and no other': [beside('a'), judging('b'), judging('c'), seeing('a')],
  'a bridge that keeps other masters does not see it': [
    judging('a'),
    judging('b', { masters: ['cache*'] }),
    seeing('a'),
  ],
  'a bridge beside another master does not see it': [judging('a', { beside: ['cache'] }), seeing('a')],
  'a later version writes more about itself': [judging('a', { since: 7 }), seeing('a')],
  'the copy of a key does not see it': [judging('a'), copied(judging('b')), copied(beside('c')), seeing('a')],
  'somebody else wrote below the folder': [judging('a'), seeing('a'), key('bridge/x', 'not JSON'), key('note', '{}')],
  'the daemons of a cluster have their own folder': [
    judging('a'),
    seeing('a'),
    key('cluster/shard1/bridge/b', { bridge: 'b', masters: ['*'], beside: ['shard1'] }),
  ],
};
for (const [when, entries] of Object.entries(proven)) {
  t.test(`nobody contradicts: ${when}`, async (t) => t.equal(contradictionOf(entries), undefined));
}

const contradicted: Readonly<Record<string, readonly KvEntry[] | undefined>> = {
  'Consul has not answered yet': undefined,
  'Consul shows no key to the token': [],
  'this bridge may not write its own key': [seeing('a')],
  'half of the bridges see it': [judging('a'), judging('b'), seeing('a')],
  'the bridge beside it does not see it': [judging('a'), judging('b'), beside('c'), seeing('a'), seeing('b')],
  'what a bridge saw was about a former address': [judging('a'), seeing('a', '10.0.0.4:6379')],
  'one sees it whose own key has ended': [judging('a'), judging('b'), seeing('a'), seeing('c')],
  'the evidence is a copy': [judging('a'), copied(seeing('a'))],
};
for (const [when, entries] of Object.entries(contradicted)) {
  t.test(`somebody contradicts: ${when}`, async (t) => t.type(contradictionOf(entries), 'string'));
}

t.test(
  'an order of another bridge counts if it came after the crash, and as long as it can be under way',
  async (t) => {
    const agoMs = (ms: number) => new Date(Date.now() - ms).toISOString();
    const order = { orderedAt: agoMs(5_000), orderedBy: 'b' };
    const since = { index: 7, sinceMs: 20_000, withinMs: 60_000 };
    for (const [what, value, changes, wanted] of [
      ['it is new', order, {}, 'b'],
      ['it was there before the crash', order, { index: 8 }, undefined],
      ['it is younger than the crash, where nothing was known before', order, { index: undefined }, 'b'],
      ['it is older than the crash', order, { index: undefined, sinceMs: 1_000 }, undefined],
      ['it has failed: a failover could have followed by now', order, { sinceMs: 1_000, withinMs: 4_000 }, undefined],
      ['it came within this judgement', order, { withinMs: 0 }, 'b'],
      ['it is from this bridge', { ...order, orderedBy: 'a' }, {}, undefined],
      ['there is none', undefined, {}, undefined],
    ] as const) {
      const entry = value === undefined ? undefined : { key: 'order', value: JSON.stringify(value), modifyIndex: 8 };
      const client = { read: async () => ({ value: entry }) };
      const watches = { follow: () => ({ state: { kind: 'pending' }, release: () => undefined }) };
      const options = { client, watches, prefix, bridgeId: 'a', masters: ['*'] } as unknown as CrashEvidenceOptions;
      const { signal } = new AbortController();
      const by = await new CrashEvidence(options).orderedElsewhere('m', { since: { ...since, ...changes }, signal });
      t.equal(by, wanted, what);
    }
  },
);

t.test('news of a master are those of its own evidence', async (t) => {
  let state = { kind: 'current', index: 1n, resets: 0, value: [judging('a')] as readonly KvEntry[] };
  let onChange = () => {};
  const follow = (_: unknown, listener: () => void) => {
    onChange = listener;
    return {
      get state() {
        return state;
      },
      release: () => undefined,
    };
  };
  const options = { client: {}, watches: { follow }, prefix, bridgeId: 'a', masters: ['*'] };
  const evidence = new CrashEvidence(options as unknown as CrashEvidenceOptions);
  const news: string[] = [];
  const unfollow = evidence.follow('shard1', () => news.push('shard1'));
  evidence.follow('shard', () => news.push('shard'));
  const give = (value: readonly KvEntry[]) => {
    state = { ...state, value };
    onChange();
    return news.splice(0);
  };
  const [first, second] = [seeing('b'), seeing('c')];
  const kept = state.value;
  t.strictSame(give([...kept, first]), ['shard1'], 'a bridge sees the crash');
  t.strictSame(give([...kept, first, judging('d')]), [], 'another bridge began');
  t.strictSame(give([...kept, first, second]), ['shard1'], 'another one sees it');
  t.strictSame(give([...kept, second]), ['shard1'], 'one sees it no more');
  unfollow();
  t.strictSame(give(kept), []);
});
