import t from 'tap';
import { readHaproxyStats, readTwemproxyStats } from '../../lib/client/proxy.ts';

t.test('a server of twemproxy that has failed and has no connection is broken', async (t) => {
  const server = { server_eof: 0, server_err: 0, server_timedout: 0, server_connections: 1, server_ejected_at: 0 };
  const stats = {
    service: 'nutcracker',
    version: '0.5.0',
    curr_connections: 3,
    pool: {
      client_connections: 1,
      well: server,
      unused: { ...server, server_connections: 0 },
      refused: { ...server, server_connections: 0, server_err: 2 },
      silent: { ...server, server_connections: 0, server_timedout: 1 },
      recovered: { ...server, server_err: 2 },
    },
  };
  t.same(readTwemproxyStats(JSON.stringify(stats)), { kind: 'proxy', version: '0.5.0', broken: ['refused', 'silent'] });
  t.throws(() => readTwemproxyStats('not JSON'));
});

t.test('a backend of HAProxy that is DOWN is broken', async (t) => {
  const text = [
    'Name: HAProxy',
    'Version: 2.6.12',
    '',
    '# pxname,svname,qcur,status,',
    'shard1,FRONTEND,,OPEN,',
    'shard1,master,0,DOWN,',
    'shard1,BACKEND,0,DOWN,',
    'shard2,BACKEND,0,UP,',
    '',
  ].join('\n');
  t.same(readHaproxyStats(text), { kind: 'proxy', version: '2.6.12', broken: ['shard1'] });
});
