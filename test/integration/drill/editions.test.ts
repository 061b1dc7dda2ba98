import t, { type Test } from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { runCommand } from '../../cmd/command.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { otherEditions } from '../support/editions.ts';
import { findingsOf } from '../support/examining.ts';

/*
 * The doctor and a drill on Valkey, and on Redis 8 with `npm run test:editions`, or on what is installed where they are not
 * unpacked; behind a twemproxy that is restarted and verified.
 */
t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'drill-editions' });
const token = 'a-token-for-this-test';
const tokenFile = sandbox.write('api.token', token);

t.test('editions', { jobs: 2 }, async (t) => {
  for (const edition of otherEditions.length === 0 ? ['redis'] : otherEditions) {
    t.test(`${edition}: a clean stack has no critical finding, and a drill loses nothing`, (t) =>
      tryEdition(t, edition),
    );
  }
});

async function tryEdition(t: Test, edition: string): Promise<void> {
  const program = `${edition}-server`;
  const [consul, shard, listen] = await Promise.all([
    sandbox.consul({ name: `${edition}-consul` }),
    sandbox.redis({ name: `${edition}-shard`, replicas: 2, program, config: { appendonly: 'yes' } }),
    sandbox.address(),
  ]);
  const sentinels = await sandbox.sentinels({ name: edition, masters: [shard], program: `${edition}-sentinel` });
  for (const sentinel of sentinels) {
    await sentinel.command('SENTINEL', 'DEBUG', 'info-period', '200', 'publish-period', '200');
  }
  const destination = sandbox.path(`${edition}.yml`);
  const proxy = await sandbox.nutcracker({ name: `${edition}-proxy`, configFile: destination, listen, start: 'later' });
  const through = formatAddress(listen);
  const daemon = await sandbox.switchmaster({
    name: `${edition}-daemon`,
    start: 'later',
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)) },
      templates: [
        {
          source: 'twemproxy.yml.hbs',
          destination,
          vars: { listen: through },
          check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
          reload: { command: proxy.restartCommand },
          verify: { redis: through },
        },
      ],
      api: { tokenFile },
    },
  });
  void daemon.launch();
  const clean = { until: (found: readonly unknown[]) => found.length === 0, timeoutMs: 60_000 };
  await waitFor('no critical finding', () => findingsOf(daemon.configFile), clean);
  await waitFor('the proxy to serve', () => redisCli(listen, ['SET', 'a', 'b']), { timeoutMs: 60_000 });
  const where = ['--api', `http://${formatAddress(daemon.api)}`, '--dns', formatAddress(consul.dns)];
  const what = ['--config', daemon.configFile, '--proxy', through, '--state', sandbox.path(`${edition}-state`)];
  const argv = ['drill', shard.name, '--yes', '--json', ...where, ...what];
  const { code, stdout, stderr } = await runCommand(argv, { SWITCHMASTER_API_TOKEN: token });
  t.equal(code, 0, stderr);
  const { stages, notSeen, writers, to } = JSON.parse(stdout);
  t.strictSame(notSeen, {});
  t.ok(stages[`write through ${through}`] > 0);
  t.match(writers, [{ through, lost: 0 }]);
  t.equal(await shard.at(to).role(), 'master');
  await waitFor('no critical finding', () => findingsOf(daemon.configFile), clean);
}
