import t from 'tap';
import { formatAcl, listRights, planAcl } from '../../../lib/model/acl/policy.ts';
import type { AclNeeds } from '../../../lib/model/acl/rule.ts';

const nothing: AclNeeds = {
  naming: { environment: 'prod' },
  registers: [],
  memberOf: [],
  masters: undefined,
  ordersOnCrash: false,
  provisions: false,
  looksUp: [],
  clusters: [],
  clustersOnCrash: [],
  queries: [],
  rolls: false,
  answersSentinel: false,
};

function rulesOf(needs: Partial<AclNeeds>): readonly string[] {
  return planAcl({ ...nothing, ...needs }).map(({ resource, segment, policy }) => `${resource} ${segment} ${policy}`);
}

t.test('a config that does nothing needs no rules', async (t) => {
  t.strictSame(rulesOf({}), []);
});

t.test('masters without wildcards need their own nodes only, wildcards need all external nodes', async (t) => {
  t.match(rulesOf({ masters: ['a', 'b'] }), ['key_prefix redis/prod/record/ write']);
  t.ok(rulesOf({ masters: ['a', 'b'] }).includes('node redis-b write'));
  t.notOk(rulesOf({ masters: ['a', 'b'] }).some((rule) => rule.startsWith('node_prefix')));
  t.ok(rulesOf({ masters: ['a', 'shard*'] }).includes('node_prefix redis- write'));
});

t.test('a bridge needs the rights for the lease of a failover', async (t) => {
  const rules = rulesOf({ masters: ['a'] });
  t.ok(rules.includes('key_prefix redis/prod/steering/ write'));
  t.ok(rules.includes('session_prefix  write'));
});

t.test('only a bridge that orders failovers of crashed masters publishes what it sees of them', async (t) => {
  const rule = 'key_prefix redis/prod/crash/ write';
  t.ok(rulesOf({ masters: ['a'], ordersOnCrash: true }).includes(rule));
  t.notOk(rulesOf({ masters: ['a'] }).includes(rule));
});

t.test('a right that the bridge needs anyway is not one for crashes of clusters alone', async (t) => {
  const without = (needs: Partial<AclNeeds>) =>
    listRights({ ...nothing, ...needs }).flatMap((rule) => (rule.without === undefined ? [] : rule.segment));
  const clusters = { clusters: ['c'], clustersOnCrash: ['c'] };
  const crash = 'redis/prod/crash/cluster/c/';
  t.strictSame(without(clusters), [crash, 'redis/prod/maintenance', '']);
  t.strictSame(without({ ...clusters, masters: ['a'] }), [crash]);
});

t.test('the policy leaves out rules that another rule includes', async (t) => {
  const queries = [
    { kind: 'key-tree', prefix: 'redis/prod/record/' },
    { kind: 'service', service: 'redis' },
  ] as const;
  const rules = rulesOf({ masters: ['a'], registers: ['redis'], queries });
  t.strictSame(
    rules.filter((rule) => rule.includes('record')),
    ['key_prefix redis/prod/record/ write'],
  );
  t.strictSame(
    rules.filter((rule) => rule.startsWith('service redis ')),
    ['service redis write'],
  );
});

t.test('rules have the format that Consul accepts', async (t) => {
  t.equal(
    formatAcl(planAcl({ ...nothing, clusters: ['c'] })),
    '# the cluster\'s record\nkey "redis/prod/cluster/c" {\n  policy = "write"\n}\n',
  );
});

t.test('with a namespace and a partition, each rule is where Consul Enterprise takes it', (t) => {
  const needs = {
    ...nothing,
    masters: ['a'],
    queries: [{ kind: 'service', service: 'web' }, { kind: 'peerings' }] as const,
  };
  const scope = { namespace: 'team', settings: [] };
  const shape = (text: string) => text.replace(/^ *(?:#|policy).*\n/gm, '');
  const text = shape(formatAcl(planAcl(needs), scope));
  const [outside = '', inside = ''] = text.split('namespace "team" {');
  t.match(outside, /^node "redis-prod-a" \{/m);
  t.match(outside, 'peering = "read"');
  t.notMatch(outside, /key|service|session/);
  for (const rule of [
    'key_prefix "redis/prod/record/"',
    'service "redis-master"',
    'service "web"',
    'session_prefix ""',
  ])
    t.match(inside, `\n  ${rule} {`);
  t.match(inside, '\n  node_prefix "" {');
  const both = shape(formatAcl(planAcl(needs), { ...scope, partition: 'east' }));
  const inDefault = { namespace: 'default', partition: 'default', settings: [] };
  t.equal(
    formatAcl(planAcl(needs), inDefault),
    formatAcl(planAcl(needs)),
    'the open-source Consul refuses such blocks',
  );
  t.equal(both, `partition "east" {\n${text.replace(/^(?=.)/gm, '  ')}}\n`);
  t.end();
});
