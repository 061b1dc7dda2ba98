import t from 'tap';
import { KnownPeers } from '../../../lib/bridge/observe/known-peers.ts';
import type { MonitoredMaster, SentinelPeer } from '../../../lib/client/sentinel-shapes.ts';

const [m, n] = ['m', 'n'].map((name) => ({ name, others: 1 })) as [MonitoredMaster, MonitoredMaster];

function peer(host: string, id?: string): SentinelPeer {
  return { address: { host, port: 26379 }, id };
}

t.test('an address counts as long as it is named for any master that is monitored', async (t) => {
  const known = new KnownPeers();
  const both = [peer('10.0.0.1'), peer('10.0.0.1')];
  known.learn([m, n], new Map([['m', both]]), 1);
  known.learn([m, n], new Map([['n', [peer('10.0.0.1')]]]), 1);
  known.learn([m, n], new Map([['m', [peer('10.0.0.2')]]]), 2);
  t.strictSame([...known.addresses], ['10.0.0.1:26379', '10.0.0.2:26379']);
  known.learn([m], new Map(), 3);
  t.strictSame([...known.addresses], ['10.0.0.2:26379']);
  known.learn([m], new Map([['m', [peer('10.0.0.2')]]]), 4);
  t.strictSame(known.all, [peer('10.0.0.2')]);
  known.learn([], new Map(), 5);
  t.strictSame([...known.addresses, ...known.all], []);
});

t.test('the id of an address is the one that was named last', async (t) => {
  const known = new KnownPeers();
  known.learn([m, n], new Map([['m', [peer('10.0.0.1', 'former')]]]), 1);
  known.learn([m, n], new Map([['n', [peer('10.0.0.1')]]]), 2);
  t.strictSame(known.all, [peer('10.0.0.1', 'former')]);
  known.learn([m, n], new Map([['n', [peer('10.0.0.1', 'latter')]]]), 3);
  t.strictSame(known.all, [peer('10.0.0.1', 'latter')]);
});

t.test('an answer to an earlier question replaces no later one', async (t) => {
  const known = new KnownPeers();
  known.learn([m], new Map([['m', [peer('10.0.0.2')]]]), 2);
  known.learn([m], new Map([['m', [peer('10.0.0.1')]]]), 1);
  t.strictSame([...known.addresses], ['10.0.0.2:26379']);
});
