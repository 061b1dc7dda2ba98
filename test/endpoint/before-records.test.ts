import t from 'tap';
import { Client } from '../../lib/endpoint/client.ts';
import { sentinelCommand } from '../../lib/endpoint/commands/sentinel.ts';
import { Hub } from '../../lib/endpoint/hub.ts';
import { ErrorReply } from '../../lib/endpoint/resp/reply.ts';

const id = 'a'.repeat(40);
const context = {
  id: () => id,
  view: () => undefined,
  sentinels: () => [],
  isCurrent: () => false,
  failOver: undefined,
};
const addresses = { address: '127.0.0.1:1', localAddress: '127.0.0.1:2' };
const client = new Client({ id: 1, ...addresses, user: 'reader', hub: new Hub(), send: () => {} });

t.test('before Consul was read, the endpoint answers what needs no record', async (t) => {
  t.equal(await sentinelCommand(context, { client, args: ['MYID'] }), id);
  t.notMatch(await sentinelCommand(context, { client, args: ['HELP'] }), ErrorReply);
  for (const args of [['MASTERS'], ['MASTER', 'shard1'], ['GET-MASTER-ADDR-BY-NAME', 'shard1']]) {
    const reply = await sentinelCommand(context, { client, args });
    t.match(reply, { text: /has not read the records from Consul yet/ }, args.join(' '));
  }
});
