import t from 'tap';
import { send } from '../../cmd/api-connection.ts';
import { formatAddress } from '../../lib/model/address.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'api-connection' });

t.test('without a daemon it fails at once, and says how to find one', async (t) => {
  // Nobody listens there.
  const url = new URL(`http://${formatAddress(await sandbox.address())}/`);
  const failure = { code: 'api-unreachable', message: /no switchmaster answers .*is it running/ };
  await t.rejects(send(url, { api: { api: url.href }, signal: AbortSignal.timeout(60_000) }), failure);
});
