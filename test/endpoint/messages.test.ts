import t from 'tap';
import { messagesOf } from '../../lib/endpoint/plan/messages.ts';
import type { ServedMaster, ServedView } from '../../lib/endpoint/plan/view.ts';
import { makeRecord } from '../template/world.ts';

const a = { host: '10.0.0.1', port: 6379 };
const b = { host: '10.0.0.2', port: 6379 };
const c = { host: '2001:db8::3', port: 6379 };

function view(master: Partial<ServedMaster>, endpoints: ServedView['endpoints'] = []): ServedView {
  const record = makeRecord({ name: 'shard1', master: a });
  const served: ServedMaster = {
    name: 'shard1',
    record,
    instances: [],
    address: a,
    condition: 'up',
    replicas: [],
    ...master,
  };
  return { masters: new Map([[served.name, served]]), endpoints, isListed: true };
}

const replica = { address: b, recorded: b, condition: 'up', link: 'ok' } as const;
const nothing: ServedView = { masters: new Map(), endpoints: [], isListed: true };
const peer = { id: 'f'.repeat(40), address: { host: '10.0.0.9', port: 26379 } };

const table: readonly { title: string; before: ServedView; after: ServedView; messages: readonly string[] }[] = [
  { title: 'no change', before: view({ replicas: [replica] }), after: view({ replicas: [replica] }), messages: [] },
  { title: 'a master that was not known', before: nothing, after: view({}), messages: [] },
  { title: 'a master that is gone', before: view({}), after: nothing, messages: [] },
  {
    title: 'a change of master, with its replicas',
    before: view({ replicas: [replica] }),
    after: view({ address: b, replicas: [{ address: a, recorded: a, condition: 's_down', link: 'err' }] }),
    messages: [
      '+failover-end master shard1 10.0.0.1 6379',
      '+switch-master shard1 10.0.0.1 6379 10.0.0.2 6379',
      '+slave slave 10.0.0.1:6379 10.0.0.1 6379 @ shard1 10.0.0.2 6379',
      '+sdown slave 10.0.0.1:6379 10.0.0.1 6379 @ shard1 10.0.0.2 6379',
    ],
  },
  {
    title: 'a master that goes down',
    before: view({}),
    after: view({ condition: 's_down' }),
    messages: ['+sdown master shard1 10.0.0.1 6379'],
  },
  {
    title: 'a master that is objectively down at once',
    before: view({}),
    after: view({ condition: 'o_down' }),
    messages: ['+sdown master shard1 10.0.0.1 6379', '+odown master shard1 10.0.0.1 6379'],
  },
  {
    title: 'a master that is back',
    before: view({ condition: 'o_down' }),
    after: view({}),
    messages: ['-odown master shard1 10.0.0.1 6379', '-sdown master shard1 10.0.0.1 6379'],
  },
  {
    title: 'a replica at an IPv6 address that goes down',
    before: view({ replicas: [{ ...replica, address: c, recorded: c }] }),
    after: view({ replicas: [{ address: c, recorded: c, condition: 's_down', link: 'err' }] }),
    messages: ['+sdown slave [2001:db8::3]:6379 2001:db8::3 6379 @ shard1 10.0.0.1 6379'],
  },
  {
    title: 'a replica that is back',
    before: view({ replicas: [{ ...replica, condition: 's_down' }] }),
    after: view({ replicas: [replica] }),
    messages: ['-sdown slave 10.0.0.2:6379 10.0.0.2 6379 @ shard1 10.0.0.1 6379'],
  },
  {
    title: 'another endpoint',
    before: view({}),
    after: view({}, [peer]),
    messages: [`+sentinel sentinel ${peer.id} 10.0.0.9 26379 @ shard1 10.0.0.1 6379`],
  },
];

t.test("changes in Sentinel's words", async (t) => {
  for (const { title, before, after, messages } of table)
    t.strictSame(
      messagesOf(before, after).map(({ channel, payload }) => `${channel} ${payload}`),
      messages,
      title,
    );
});
