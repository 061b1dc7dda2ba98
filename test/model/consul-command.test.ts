import t from 'tap';
import type { ConsulScope } from '../../lib/model/consul-scope.ts';
import { judgeIgnoredKeys } from '../../lib/model/judgement/consul.ts';
import { findProblems } from '../../lib/model/judgement/problems.ts';
import { consulCommand } from '../../lib/model/shell-words.ts';
import { foreignService } from '../../lib/registrar/plan/registration.ts';

const team: ConsulScope = { namespace: 'team', settings: [] };
const east: ConsulScope = { namespace: 'default', partition: 'east', settings: [] };

t.test('a command of consul names the namespace and the partition before its operands', async (t) => {
  const command = (scope?: ConsulScope) => consulCommand('kv delete', { scope, operands: ['a b'] });
  t.equal(command(), "consul kv delete 'a b'");
  t.equal(command(team), "consul kv delete -namespace=team 'a b'");
  t.equal(command(east), "consul kv delete -namespace=default -partition=east 'a b'");
});

t.test('problems show commands for the namespace in which the daemon works', async (t) => {
  const foreign = [{ name: 'redis-master', id: 'x', node: 'n', address: '10.0.0.1', port: 1, tags: [] }];
  const given = {
    expected: undefined,
    views: [],
    refusals: [],
    unreached: [],
    foreign,
    uncounted: [],
    held: undefined,
  };
  t.match(findProblems({ ...given, scope: team }), [{ hint: 'consul services deregister -namespace=team -id x' }]);
  t.match(findProblems(given), [{ hint: 'consul services deregister -id x' }]);
  const ignored = [{ key: 'redis/record/a', kind: 'no-record', message: 'm' }] as unknown as Parameters<
    typeof judgeIgnoredKeys
  >[0];
  t.match(judgeIgnoredKeys(ignored, team), [{ hint: 'consul kv get -namespace=team redis/record/a' }]);
  const settings = { tagsFrom: 'agent', weights: undefined, taggedAddresses: {}, connect: undefined } as const;
  const held = { id: 'i', service: 's', address: '', port: 1, tags: [], meta: {}, checks: [], settings };
  t.match(foreignService(held, team), /run "consul services deregister -namespace=team -id i"/);
});
