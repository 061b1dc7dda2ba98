import t from 'tap';
import { formatDnsAcl, planDnsAcl } from '../../../lib/model/acl/dns.ts';

t.test('DNS needs what the config puts into it, and the nodes', async (t) => {
  const rules = planDnsAcl({ masters: ['shard1'], registers: ['redis'] });
  t.same(
    rules.map(({ resource, segment, policy }) => `${resource} ${segment} ${policy}`),
    ['service redis-master read', 'service redis-replica read', 'service redis read', 'node_prefix  read'],
  );
  t.same(planDnsAcl({ masters: undefined, registers: [] }), []);
});

t.test('the rules of DNS are comments in a policy', async (t) => {
  const text = formatDnsAcl(planDnsAcl({ masters: ['*'], registers: [] }));
  t.ok(text.split('\n').every((line) => line === '' || line.startsWith('#')));
  t.match(text, /anonymous token/);
  t.match(text, '#   service "redis-master" { policy = "read" }');
  t.equal(formatDnsAcl([]), '');
});
