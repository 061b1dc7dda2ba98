import t from 'tap';
import { toClusterView } from '../../lib/client/cluster-shapes.ts';
import { type ClusterView, formatRanges } from '../../lib/model/cluster.ts';

// CLUSTER NODES as Redis 6.0.16 answered it (Debian 11), each at one moment of a cluster of three masters, their
// replicas, and a node that joins. It knows neither CLUSTER SHARDS nor hostnames.
const captured = {
  healthy: [
    '009604cbc5eb021dce2a5669c742c7269ecef6e1 127.98.34.16:7006@17006 slave b9d8b8b6da9cb9f28287e136bb329ec13d786f76 0 1795383770000 2 connected',
    'b9d8b8b6da9cb9f28287e136bb329ec13d786f76 127.98.34.13:7003@17003 master - 0 1795383770235 2 connected 5462-10923',
    '1efd6924ec0a6cc3a03d173138c07ba3de90e624 127.98.34.15:7005@17005 slave 82c26ea63681eb27309e8b3222fe9e9e415a1a2f 0 1795383770130 1 connected',
    '1757304db84856c4d9dce238c38df6b7ecf63ad6 127.98.34.14:7004@17004 master - 0 1795383769928 3 connected 10924-16383',
    '82c26ea63681eb27309e8b3222fe9e9e415a1a2f 127.98.34.12:7002@17002 myself,master - 0 1795383770000 1 connected 0-5461',
    '2fd8d6c0bae6aa380d8ce98d8844af665e5cb746 127.98.34.17:7007@17007 slave 1757304db84856c4d9dce238c38df6b7ecf63ad6 0 1795383770341 3 connected',
  ],
  'alone, without an address of its own': [
    'cf541a0055bf61659dd7d51f61623688f4358420 :7008@17008 myself,master - 0 0 0 connected',
  ],
  'with a node that is only being met': [
    '82c26ea63681eb27309e8b3222fe9e9e415a1a2f 127.98.34.12:7002@17002 slave 1efd6924ec0a6cc3a03d173138c07ba3de90e624 0 1795383771000 6 connected',
    '2fd8d6c0bae6aa380d8ce98d8844af665e5cb746 127.98.34.17:7007@17007 slave 1757304db84856c4d9dce238c38df6b7ecf63ad6 0 1795383771000 3 connected',
    '1757304db84856c4d9dce238c38df6b7ecf63ad6 127.98.34.14:7004@17004 master - 0 1795383771398 3 connected 10924-16383',
    '1efd6924ec0a6cc3a03d173138c07ba3de90e624 127.98.34.15:7005@17005 master - 0 1795383771603 6 connected 0-5461',
    '14f22e2d87397c4463d5f43109e5c9f6b9da3b59 127.0.0.1:1@10001 handshake - 0 0 0 disconnected',
    '009604cbc5eb021dce2a5669c742c7269ecef6e1 127.98.34.16:7006@17006 slave b9d8b8b6da9cb9f28287e136bb329ec13d786f76 0 1795383771190 2 connected',
    'b9d8b8b6da9cb9f28287e136bb329ec13d786f76 127.98.34.13:7003@17003 myself,master - 0 1795383771000 2 connected 5462-10923',
  ],
  'with a migrating slot': [
    '82c26ea63681eb27309e8b3222fe9e9e415a1a2f 127.98.34.12:7002@17002 slave 1efd6924ec0a6cc3a03d173138c07ba3de90e624 0 1795383773226 6 connected',
    '2fd8d6c0bae6aa380d8ce98d8844af665e5cb746 127.98.34.17:7007@17007 slave 1757304db84856c4d9dce238c38df6b7ecf63ad6 0 1795383773000 3 connected',
    '1757304db84856c4d9dce238c38df6b7ecf63ad6 127.98.34.14:7004@17004 master - 0 1795383773025 3 connected 10924-16383',
    'cf541a0055bf61659dd7d51f61623688f4358420 127.98.34.18:7008@17008 master - 0 1795383773000 0 connected 5462-5463 5470',
    '1efd6924ec0a6cc3a03d173138c07ba3de90e624 127.98.34.15:7005@17005 master - 0 1795383773226 6 connected 0-5461',
    '009604cbc5eb021dce2a5669c742c7269ecef6e1 127.98.34.16:7006@17006 slave b9d8b8b6da9cb9f28287e136bb329ec13d786f76 0 1795383772823 2 connected',
    'b9d8b8b6da9cb9f28287e136bb329ec13d786f76 127.98.34.13:7003@17003 myself,master - 0 1795383772000 2 connected 5464-5469 5471-10923 [5471->-cf541a0055bf61659dd7d51f61623688f4358420]',
  ],
  'with a slot on its way in': [
    'cf541a0055bf61659dd7d51f61623688f4358420 127.98.34.18:7008@17008 myself,master - 0 1795383772000 7 connected 5462-5463 5470 [5471-<-b9d8b8b6da9cb9f28287e136bb329ec13d786f76]',
    'b9d8b8b6da9cb9f28287e136bb329ec13d786f76 127.98.34.13:7003@17003 master - 0 1795383773000 2 connected 5464-5469 5471-10923',
    '1757304db84856c4d9dce238c38df6b7ecf63ad6 127.98.34.14:7004@17004 master - 0 1795383772793 3 connected 10924-16383',
    '82c26ea63681eb27309e8b3222fe9e9e415a1a2f 127.98.34.12:7002@17002 slave 1efd6924ec0a6cc3a03d173138c07ba3de90e624 0 1795383772687 6 connected',
    '1efd6924ec0a6cc3a03d173138c07ba3de90e624 127.98.34.15:7005@17005 master - 0 1795383772687 6 connected 0-5461',
    '2fd8d6c0bae6aa380d8ce98d8844af665e5cb746 127.98.34.17:7007@17007 slave 1757304db84856c4d9dce238c38df6b7ecf63ad6 0 1795383772793 3 connected',
    '009604cbc5eb021dce2a5669c742c7269ecef6e1 127.98.34.16:7006@17006 slave b9d8b8b6da9cb9f28287e136bb329ec13d786f76 0 1795383772793 2 connected',
  ],
  'with a shard that is dead': [
    '009604cbc5eb021dce2a5669c742c7269ecef6e1 127.98.34.16:7006@17006 slave b9d8b8b6da9cb9f28287e136bb329ec13d786f76 0 1795383778786 2 connected',
    'b9d8b8b6da9cb9f28287e136bb329ec13d786f76 127.98.34.13:7003@17003 master - 0 1795383778786 2 connected 5464-5469 5471-10923',
    '1efd6924ec0a6cc3a03d173138c07ba3de90e624 127.98.34.15:7005@17005 master - 0 1795383779304 6 connected 0-5461',
    'cf541a0055bf61659dd7d51f61623688f4358420 127.98.34.18:7008@17008 master - 0 1795383779503 7 connected 5462-5463 5470',
    '1757304db84856c4d9dce238c38df6b7ecf63ad6 127.98.34.14:7004@17004 master,fail - 1795383773799 1795383772993 3 disconnected',
    '82c26ea63681eb27309e8b3222fe9e9e415a1a2f 127.98.34.12:7002@17002 myself,slave 1efd6924ec0a6cc3a03d173138c07ba3de90e624 0 1795383778000 6 connected',
    '2fd8d6c0bae6aa380d8ce98d8844af665e5cb746 127.98.34.17:7007@17007 master,fail - 1795383777467 1795383776652 8 disconnected 10924-16383',
  ],
};

const at = { host: '127.98.34.99', port: 7000 };
const info = [
  'cluster_state:ok',
  'cluster_slots_assigned:16384',
  'cluster_slots_ok:16384',
  'cluster_slots_pfail:0',
  'cluster_slots_fail:0',
  'cluster_current_epoch:7',
  'cluster_my_epoch:2',
].join('\r\n');

function viewOf(lines: readonly string[], more: readonly string[] = []): ClusterView {
  const myself = lines.find((line) => line.includes('myself'))?.slice(0, 40) ?? '';
  const nodes = [...lines, ...more, ''].join('\n');
  const refused = new Error("ERR Unknown subcommand or wrong number of arguments for 'SHARDS'. Try CLUSTER HELP.");
  return toClusterView([myself, info, refused], { at, tls: 'plain', nodes });
}

/** `slots: master, replicas`, each by its port, with `!` where it has failed. */
function shown({ shards }: ClusterView): readonly string[] {
  return shards
    .map(({ slots, nodes }) => {
      const ports = nodes.map(({ address, health }) => `${address?.port ?? '?'}${health === 'fail' ? '!' : ''}`);
      return `${formatRanges(slots)}: ${ports.join(' ')}`;
    })
    .sort();
}

t.test('CLUSTER NODES of Redis 6 is read at every stage of a change', async (t) => {
  t.strictSame(shown(viewOf(captured.healthy)), [
    '0-5461: 7002 7005',
    '10924-16383: 7004 7007',
    '5462-10923: 7003 7006',
  ]);
  t.strictSame(shown(viewOf(captured['alone, without an address of its own'])), [': ?']);
  t.strictSame(shown(viewOf(captured['with a node that is only being met'])), [
    '0-5461: 7005 7002',
    '10924-16383: 7004 7007',
    '5462-10923: 7003 7006',
  ]);
  const moving = [
    '0-5461: 7005 7002',
    '10924-16383: 7004 7007',
    '5462-5463,5470: 7008',
    '5464-5469,5471-10923: 7003 7006',
  ];
  t.strictSame(shown(viewOf(captured['with a migrating slot'])), moving);
  t.strictSame(shown(viewOf(captured['with a slot on its way in'])), moving);
  t.strictSame(shown(viewOf(captured['with a shard that is dead'])), [
    '0-5461: 7005 7002',
    '10924-16383: 7007!',
    '5462-5463,5470: 7008',
    '5464-5469,5471-10923: 7003 7006',
    ': 7004!',
  ]);
  t.match(viewOf(captured.healthy), { epoch: 7, state: 'ok', askedAt: at });
});

t.test('lines of other versions and of broken nodes are read too', async (t) => {
  const id = 'c'.repeat(40);
  const seen = (line: string) =>
    viewOf(captured.healthy, [`${id} ${line}`]).shards.find(({ nodes }) => nodes[0]?.id === id);
  t.equal(seen(':0@0 master,noaddr - 0 0 9 disconnected'), undefined);
  const ways: readonly (readonly [string, string, { readonly host: string; readonly port: number }])[] = [
    ['3.2, without a bus port', '10.0.0.9:7000', { host: '10.0.0.9', port: 7000 }],
    ['IPv6', '2001:db8::9:7000@17000', { host: '2001:db8::9', port: 7000 }],
    ['7.0, with a hostname', '10.0.0.9:7000@17000,redis-9.example.org', { host: 'redis-9.example.org', port: 7000 }],
    ['7.0, whose hostname is unknown', '10.0.0.9:7000@17000,', { host: '10.0.0.9', port: 7000 }],
    ['7.2, with fields after the hostname', '10.0.0.9:7000@17000,,shard-id=ab', { host: '10.0.0.9', port: 7000 }],
  ];
  for (const [what, place, address] of ways) {
    t.strictSame(seen(`${place} master - 0 0 9 connected`)?.nodes[0]?.address, address, what);
  }
  t.equal(
    seen('10.0.0.9:7000@17000 master,fail? - 0 0 9 connected')?.nodes[0]?.health,
    'online',
    'one doubt is no vote',
  );
  t.throws(() => viewOf([`${id} 10.0.0.9:7000@17000 myself,master - 0 0 9 connected 5-99999`]), {
    code: 'redis-answer-invalid',
  });
});

t.test('CLUSTER SHARDS of Redis 7 and Valkey is read, whatever its endpoints', async (t) => {
  // Fields as addNodeDetailsToShardReply writes them (src/cluster_legacy.c of Redis 7.0 to 8 and Valkey 7.2 to 8.1).
  const seen = (fields: Readonly<Record<string, string | number | null>>, tls: 'tls' | 'plain' = 'plain') => {
    const node = { id: 'n', port: 7000, ip: '10.0.0.9', role: 'master', 'replication-offset': 0, health: 'online' };
    const reply = [['slots', [0, 16_383], 'nodes', [Object.entries({ ...node, ...fields }).flat()]]];
    return toClusterView(['n', info, reply], { at, tls, nodes: undefined }).shards[0]?.nodes[0];
  };
  const ip = '10.0.0.9';
  const table: readonly (readonly [string, Parameters<typeof seen>[0], string | undefined])[] = [
    ['an address', { endpoint: ip }, ip],
    ['a hostname', { endpoint: 'Redis-9.example.', hostname: 'redis-9.example' }, 'redis-9.example'],
    ['IPv6', { endpoint: '2001:DB8:0::9', ip: '2001:db8::9' }, '2001:db8::9'],
    ['a mapped address', { endpoint: '::ffff:10.0.0.9' }, ip],
    ['unknown, with a hostname', { endpoint: '?', hostname: 'redis-9.example' }, ip],
    ['unknown, as null', { endpoint: null }, ip],
    ['empty', { endpoint: '' }, ip],
    ['a node that knows no address of its own', { endpoint: '', ip: '' }, undefined],
    ['with fields that are not known here', { 'availability-zone': 'az-1', endpoint: ip }, ip],
  ];
  for (const [what, fields, host] of table) t.equal(seen(fields)?.address?.host, host, what);
  t.strictSame(seen({ endpoint: '?', hostname: 'redis-9.example' })?.names, [
    { host: ip, port: 7000 },
    { host: 'redis-9.example', port: 7000 },
  ]);
  t.equal(seen({ endpoint: ip, 'tls-port': 7443 }, 'tls')?.address?.port, 7443);
  for (const [health, wanted] of [
    ['online', 'online'],
    ['loading', 'loading'],
    ['fail', 'fail'],
    ['failed', 'fail'],
  ] as const)
    t.equal(seen({ endpoint: ip, health })?.health, wanted);
  t.equal(seen({ endpoint: ip, role: 'replica' })?.role, 'replica');
});
