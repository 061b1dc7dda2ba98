import { readFile } from 'node:fs/promises';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { blocksOf, readPage, sectionOf } from './pages.ts';

const management = '5e1f0001-0000-4000-8000-000000000001';

t.test('the ACL rules of the docs suffice for a bridge, a registrar and a template', async (t) => {
  // The section on DNS has rules of another token.
  const { file, text } = await readPage('docs/reference/consul.md');
  const section = { file, text: sectionOf(text, 'ACL') ?? '' };
  const rules = blocksOf(section).filter(({ language }) => language === 'hcl');
  t.equal(rules.length, 3);
  const sandbox = await Sandbox.openFor(t, { name: 'acl' });
  // Requests without a token are the sandbox's own.
  const tokens = { master: management, agent: management, default: management };
  const [consul, shard] = await Promise.all([
    sandbox.consul({ config: { acl: { enabled: true, default_policy: 'deny', tokens } } }),
    sandbox.redis({ name: 'shard1', replicas: 1 }),
  ]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [shard] });
  const destination = sandbox.path('app.json');
  const tokenFile = sandbox.write('token', await makeToken(consul.url, rules.map(({ content }) => content).join('')));
  await sandbox.switchmaster({
    config: {
      environment: 'production',
      consul: { address: consul.url, tokenFile },
      register: [{ kind: 'redis', address: formatAddress(shard.master.address) }],
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)) },
      templates: [{ source: 'app.json.hbs', destination }],
    },
  });
  await waitFor('the instance', async () => JSON.stringify(await consul.get('/v1/agent/services')), {
    until: (services) => services.includes(`redis-${formatAddress(shard.master.address)}`),
  });
  const replica = shard.replicas[0]?.address ?? shard.master.address;
  await shard.master.kill();
  await waitFor('the key to follow', () => consul.key('redis/production/master/shard1'), {
    until: (value) => value === formatAddress(replica),
    timeoutMs: 60_000,
  });
  await waitFor('the file to follow', () => readFile(destination, 'utf8'), {
    until: (text) => text.includes(`"port": ${replica.port}`),
  });
});

/** A token with these rules and no others. */
async function makeToken(consul: string, rules: string): Promise<string> {
  const put = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${consul}${path}`, { method: 'PUT', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  // Right after its start Consul has no ACLs yet.
  await waitFor('the policy', () => put('/v1/acl/policy', { Name: 'switchmaster', Rules: rules }));
  const { SecretID } = await put('/v1/acl/token', { Policies: [{ Name: 'switchmaster' }] });
  return String(SecretID);
}
