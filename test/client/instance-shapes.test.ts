import t from 'tap';
import {
  readAnnounced,
  readInfo,
  readMasterNames,
  toRedisResult,
  toSentinelResult,
} from '../../lib/client/instance-shapes.ts';

/*
 * INFO, ROLE and CONFIG GET as genRedisInfoString, roleCommand and sentinelInfoCommand write them (src/server.c,
 * replication.c and sentinel.c of Redis 5 to 8 and Valkey 7.2 to 8.1).
 */

const runId = 'a'.repeat(40);
const info = (...lines: readonly string[]) => readInfo(['# Server', ...lines, `run_id:${runId}`, ''].join('\r\n'));

t.test('the version is that of the program, and not the one that it is compatible with', async (t) => {
  const versionOf = (...lines: readonly string[]) =>
    toRedisResult(info(...lines), { role: ['master', 0, []], cluster: undefined }).version;
  t.equal(versionOf('redis_version:5.0.14'), '5.0.14');
  t.equal(versionOf('redis_version:8.0.3', 'redis_git_sha1:00000000'), '8.0.3');
  t.equal(
    versionOf('redis_version:7.2.4', 'server_name:valkey', 'valkey_version:8.1.0', 'valkey_release_stage:ga'),
    'valkey 8.1.0',
  );
});

t.test('the role is that of ROLE, and of INFO where ROLE is refused', async (t) => {
  const roleOf = (role: unknown, inInfo: string) =>
    toRedisResult(info(`role:${inInfo}`), { role, cluster: undefined }).role;
  t.equal(roleOf(['master', 3_129_659, [['10.0.0.6', '6379', '3129242']]], 'master'), 'master');
  t.equal(roleOf(['slave', '10.0.0.5', 6379, 'connected', 3_167_038], 'slave'), 'replica');
  t.equal(roleOf(['sentinel', ['mymaster']], 'master'), 'other');
  const refused = new Error("NOPERM User checker has no permissions to run the 'role' command");
  t.equal(roleOf(refused, 'slave'), 'replica');
  t.equal(roleOf(refused, 'master'), 'master');
});

t.test('the link of a replica, also of one that never had any', async (t) => {
  const linkOf = (...lines: readonly string[]) =>
    toRedisResult(info('role:slave', ...lines), { role: ['slave'], cluster: undefined }).link;
  t.strictSame(linkOf('master_link_status:up', 'master_last_io_seconds_ago:1', 'master_sync_in_progress:0'), {
    ...{ up: true, silentMs: 1_000, downMs: 0, syncing: false },
  });
  const down = ['master_link_status:down', 'master_last_io_seconds_ago:-1', 'master_sync_in_progress:1'];
  t.strictSame(linkOf(...down, 'master_link_down_since_seconds:7'), {
    ...{ up: false, silentMs: undefined, downMs: 7_000, syncing: true },
  });
  t.match(linkOf(...down, 'master_link_down_since_seconds:-1'), { downMs: 0 }, 'Redis 7: since its start');
});

t.test('masters of a Sentinel with any name', async (t) => {
  const fields = info(
    'sentinel_masters:3',
    'sentinel_tilt:0',
    'sentinel_tilt_since_seconds:-1',
    'master0:name=mymaster,status=ok,address=10.0.0.5:6379,slaves=2,sentinels=3',
    'master1:name=a,b=c,status=odown,address=[fd00::5]:6379,slaves=0,sentinels=1',
    'master2:name=,status=sdown,address=10.0.0.5:6380,slaves=0,sentinels=1',
  );
  t.strictSame(readMasterNames(fields), ['mymaster', 'a,b=c', '']);
  t.match(toSentinelResult(fields, ['b', 'a']), { runId, masters: 3, tilt: false, withoutQuorum: ['a', 'b'] });
});

t.test('what a server announces, and nothing where it does not say it', async (t) => {
  const names = { host: 'replica-announce-ip', port: 'replica-announce-port' };
  const announced = (reply: unknown) => readAnnounced(reply, names);
  t.strictSame(announced(['replica-announce-ip', '10.9.0.5', 'replica-announce-port', '16379']), {
    host: '10.9.0.5',
    port: 16_379,
  });
  t.strictSame(announced(['replica-announce-ip', 'Redis-0.example.', 'replica-announce-port', '0']), {
    host: 'redis-0.example',
  });
  t.strictSame(announced(['replica-announce-ip', '', 'replica-announce-port', '0']), {});
  t.strictSame(announced(['replica-announce-ip', '0.0.0.0']), {});
  for (const reply of [[], null, new Error("ERR unknown command 'CONFIG'")]) t.strictSame(announced(reply), {});
});
