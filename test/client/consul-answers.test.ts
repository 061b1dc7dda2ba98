import t from 'tap';
import { readMetadata } from '../../lib/client/consul-answers.ts';

/* Headers as Consul 1.8.7 and 1.14.11 sent them. */

t.test('a server without a leader reports it', async (t) => {
  const headers = { 'x-consul-index': '12', 'x-consul-knownleader': 'false', 'x-consul-lastcontact': '4100' };
  t.match(readMetadata('service', headers), { index: 12n, knownLeader: false, lastContactMs: 4_100, streamed: false });
  const since113 = { ...headers, 'x-consul-query-backend': 'blocking-query' };
  t.match(readMetadata('service', since113), { knownLeader: false, streamed: false });
});

t.test('the header about the leader has no meaning in a streamed answer', async (t) => {
  const headers = { 'x-consul-index': '21', 'x-consul-knownleader': 'false', 'x-consul-lastcontact': '0' };
  t.match(readMetadata('service', { ...headers, 'x-consul-query-backend': 'streaming' }), {
    index: 21n,
    knownLeader: true,
    streamed: true,
  });
  t.match(
    readMetadata('service', headers),
    { knownLeader: true, streamed: true },
    'Consul 1.10 and 1.11 do not name the backend',
  );
  const led = { ...headers, 'x-consul-knownleader': 'true' };
  t.match(readMetadata('key', headers), { knownLeader: false, streamed: false }, 'only services are streamed');
  t.match(readMetadata('service', led), { knownLeader: true, streamed: false });
});

t.test('an index below 1 or a malformed one counts as none', async (t) => {
  for (const index of ['0', '-1', 'x', undefined])
    t.equal(readMetadata('service', { 'x-consul-index': index }).index, 0n);
});
