import t from 'tap';
import { describeLag, type Lag } from '../../lib/model/lag.ts';

const script = new URL('../../lib/http/page/votes.js', import.meta.url).href;
const { replicasOf }: { replicasOf(master: unknown): unknown } = await import(script);

const address = { host: '10.0.0.6', port: 6379 };
const table: readonly (readonly [Lag | null, string])[] = [
  [null, 'lag unknown'],
  [{ bytes: null, behindMs: null }, 'lag unknown'],
  [{ bytes: 0, behindMs: 500 }, 'in sync'],
  [{ bytes: 9_999, behindMs: 500 }, '9999 B behind'],
  [{ bytes: 12_345, behindMs: null }, '12 kB behind'],
  [{ bytes: 12_345_678, behindMs: 14_200 }, '12 MB, 14 s behind'],
  [{ bytes: null, behindMs: 61_000 }, '61 s behind'],
  [{ bytes: null, behindMs: 4_000 }, 'in sync'],
];

t.test('the lag of a replica has the same words in status and on the live page', async (t) => {
  for (const [lag, words] of table) {
    t.equal(describeLag(lag), words);
    const sentinels = [{ replicas: [{ address, condition: 'up' }] }];
    const seen = { record: { replicas: [address] }, sentinels, replicas: [{ address, lag }] };
    t.match(replicasOf(seen), [{ condition: words }], words);
  }
});
