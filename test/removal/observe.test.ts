import t from 'tap';
import type { ConsulClient } from '../../lib/client/consul.ts';
import type { Config } from '../../lib/config/model.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { ConsulQuery } from '../../lib/model/query.ts';
import { observeRemoval } from '../../lib/removal/observe.ts';

/** A Consul that hides keys below these prefixes, and has these services of clusters, by their tags. */
function consulWith(given: { readonly hides?: readonly string[]; readonly tags?: readonly (readonly string[])[] }) {
  const read = async (query: ConsulQuery) => {
    const at = query.kind === 'key' ? query.key : query.kind === 'key-tree' ? query.prefix : undefined;
    if (at !== undefined && given.hides?.some((prefix) => at.startsWith(prefix)) === true)
      throw new SwitchmasterError('consul-denied', `Consul hides ${at} from the token.`);
    if (query.kind === 'service') return { value: (given.tags ?? []).map((tags) => ({ id: tags.join(), tags })) };
    return { value: query.kind === 'key' ? undefined : [] };
  };
  return { read, send: async () => null } as unknown as ConsulClient;
}

const configOf = (environment: string | undefined) =>
  ({ environment, cluster: [], publish: [], templates: [] }) as unknown as Config;

t.test('a token that may not read the lock of a failover removes nothing', async (t) => {
  const of = { config: configOf(undefined), name: 'm', subject: 'master' } as const;
  await t.rejects(observeRemoval(consulWith({ hides: ['redis/steering/'] }), of), { code: 'consul-denied' });
  const snapshot = await observeRemoval(consulWith({ hides: ['redis/provisioned/'] }), of);
  t.match(snapshot.hidden, [/redis\/provisioned\/m/], 'a note is not needed');
});

t.test('what is removed from a former environment is compared with the present one', async (t) => {
  for (const subject of ['master', 'cluster'] as const) {
    const of = { config: configOf('eu'), name: 'm', subject, former: { environment: 'us' } };
    const { naming, successor } = await observeRemoval(consulWith({}), of);
    t.strictSame(naming, { environment: 'us' });
    t.strictSame(successor, { naming: { environment: 'eu' }, record: undefined, desired: 'absent' });
  }
});

t.test('the services of a name have its tag, and that of the environment', async (t) => {
  const find = async (name: string, environment: string | undefined, tags: readonly (readonly string[])[]) => {
    const of = { config: configOf(environment), name, subject: 'cluster' } as const;
    return (await observeRemoval(consulWith({ tags }), of)).registered.map(({ id }) => id);
  };
  t.strictSame(await find('team/a', undefined, [['team-a', 'master'], ['team/a']]), ['team-a,master']);
  t.strictSame(
    await find('master', undefined, [
      ['other', 'master'],
      ['master-fc613b4d', 'master'],
    ]),
    ['master-fc613b4d,master'],
  );
  t.strictSame(await find('m', 'eu', [['m', 'us'], ['m', 'eu'], ['m']]), ['m,eu']);
});
