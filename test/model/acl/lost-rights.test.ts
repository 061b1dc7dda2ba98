import t from 'tap';
import { formatRule, LostRights, questionOf } from '../../../lib/model/acl/lost-rights.ts';
import { listRights } from '../../../lib/model/acl/policy.ts';
import type { AclNeeds, AclRule } from '../../../lib/model/acl/rule.ts';

const rule = (resource: AclRule['resource'], segment: string, policy: AclRule['policy'] = 'read'): AclRule => ({
  ...{ resource, segment, policy },
  why: 'test',
});
const noNeeds: AclNeeds = {
  ...{ naming: { environment: undefined }, registers: [], memberOf: [], masters: undefined, ordersOnCrash: false },
  ...{ provisions: false, looksUp: [], clusters: [], clustersOnCrash: [], queries: [], rolls: false },
  answersSentinel: false,
};
const [keys, nodes] = [rule('key_prefix', 'redis/desired/'), rule('node_prefix', '')];
const answers = (of: readonly (readonly [AclRule, boolean])[]) => of.map(([rule, isAllowed]) => ({ rule, isAllowed }));

t.test('a right is lost if the token had it, until the token has it again or nothing needs it', async (t) => {
  const rights = new LostRights();
  t.same(
    rights.note(
      answers([
        [keys, true],
        [nodes, false],
      ]),
    ),
    { lost: [], lacking: [], back: [] },
  );
  t.same(rights.rules, [], 'a rule that the token never had may not be needed');
  t.same(
    rights.note(
      answers([
        [keys, false],
        [nodes, false],
      ]),
    ),
    { lost: [keys], lacking: [], back: [] },
  );
  t.same(
    rights.note(
      answers([
        [keys, false],
        [nodes, true],
      ]),
    ),
    { lost: [], lacking: [], back: [] },
  );
  t.same(
    rights.note(
      answers([
        [keys, true],
        [nodes, false],
      ]),
    ),
    { lost: [nodes], lacking: [], back: [keys] },
  );
  t.same(rights.rules, [nodes]);
  t.same(rights.note([]), { lost: [], lacking: [], back: [] }, 'a right that nothing needs any more is not one it has');
  t.same(rights.rules, []);
});

t.test('a right that a wider rule includes is lost alone, or with that rule', async (t) => {
  const [all, web] = [rule('service_prefix', ''), rule('service', 'web')];
  const needs = { ...noNeeds, queries: [{ kind: 'services' }, { kind: 'service', service: 'web' }] as const };
  t.same(listRights(needs).map(formatRule), [formatRule(all), formatRule(web), formatRule(nodes)]);
  const rights = new LostRights();
  const note = (ofAll: boolean, ofWeb: boolean) =>
    rights.note(
      answers([
        [all, ofAll],
        [web, ofWeb],
      ]),
    );
  note(true, true);
  t.same(note(true, false).lost, [web], 'a rule for it alone denies it');
  t.same(note(false, false), { lost: [all], lacking: [], back: [] }, 'the wide rule gives both');
  t.same(note(true, true).back, [all]);
});

t.test('a question names one of all for an empty prefix', async (t) => {
  const session = rule('session_prefix', '', 'write');
  t.same(questionOf(keys), { Resource: 'key', Access: 'read', Segment: 'redis/desired/' });
  t.same(questionOf(session), { Resource: 'session', Access: 'write', Segment: 'switchmaster' });
  t.equal(formatRule(session), 'session_prefix "" { policy = "write" }');
  t.equal(formatRule(rule('peering', '')), 'peering = "read"');
});

t.test('a right that the token never had is reported where a part of the work needs it', async (t) => {
  const crash = { ...rule('key_prefix', 'redis/crash/', 'write'), without: 'No failover is ordered' };
  const rights = new LostRights();
  const note = (isAllowed: boolean) => rights.note(answers([[crash, isAllowed]]));
  t.same(note(false), { lost: [], lacking: [crash], back: [] });
  t.same(note(false), { lost: [], lacking: [], back: [] }, 'once');
  t.same(rights.lacking, [crash]);
  t.same(rights.note([]), { lost: [], lacking: [], back: [] }, 'nothing needs it any more');
  t.same(note(false).lacking, [crash]);
  t.same(note(true), { lost: [], lacking: [], back: [crash] });
  t.same(rights.lacking, []);
  t.same(note(false), { lost: [crash], lacking: [], back: [] }, 'then it is one that was lost');
  t.same(rights.lacking, []);
});
