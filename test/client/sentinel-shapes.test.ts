import fc from 'fast-check';
import t from 'tap';
import {
  readCondition,
  readCount,
  readEvent,
  readFieldAddress,
  readFields,
  readFieldsList,
  readPeer,
  readReplica,
  readView,
} from '../../lib/client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { notTexts } from './not-texts.ts';

const runId = 'a'.repeat(40);

t.test('events are read as sentinel.c writes them', async (t) => {
  const rows: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
    ['+switch-master', 'm 10.0.0.1 6379 10.0.0.2 6380', 'm', '10.0.0.2:6380'],
    ['+switch-master', 'm 10.0.0.1 6379 ::1 6380', 'm', '::1:6380'],
    ['+switch-master', 'm 10.0.0.1 6379 10.0.0.2 0', 'm', undefined],
    ['+switch-master', 'm', 'm', undefined],
    ['+sdown', 'master m 10.0.0.1 6379', 'm', undefined],
    ['+sdown', 'slave 10.0.0.2:6380 10.0.0.2 6380 @ m 10.0.0.1 6379', 'm', undefined],
    ['+sdown', `sentinel ${runId} 10.0.1.1 26379 @ m 10.0.0.1 6379`, 'm', undefined],
    ['+odown', 'master m 10.0.0.1 6379 #quorum 2/2', 'm', undefined],
    ['+monitor', 'master m 10.0.0.1 6379 quorum 2', 'm', undefined],
    ['+switch-master', 'my master 10.0.0.1 6379 10.0.0.2 6380', 'my master', '10.0.0.2:6380'],
    ['+sdown', 'master my @ master 10.0.0.1 6379', 'my @ master', undefined],
    ['+sdown', 'slave 10.0.0.2:6380 10.0.0.2 6380 @ my master 10.0.0.1 6379', 'my master', undefined],
    ['+odown', 'master a@b 10.0.0.1 6379 #quorum 2/2', 'a@b', undefined],
    ['+new-epoch', '7', undefined, undefined],
    ['+vote-for-leader', `${runId} 7`, undefined, undefined],
    ['+tilt', '#tilt mode entered', undefined, undefined],
    ['anything', '', undefined, undefined],
  ];
  for (const [channel, message, master, target] of rows) {
    const event = readEvent(channel, message);
    t.equal(event.master, master, `${channel} ${message}`);
    t.equal(event.target && `${event.target.host}:${event.target.port}`, target, `${channel} ${message}`);
  }
});

t.test('no message makes it throw', async (t) => {
  const channel = fc.oneof(fc.string(), fc.constant('+switch-master'), fc.constant('+sdown'));
  fc.assert(fc.property(channel, fc.string(), (name, message) => readEvent(name, message).event === name));
  t.pass('any message');
});

t.test('an answer that is not of the documented shape is an error of its own', async (t) => {
  const invalid = { name: 'Error', code: 'redis-answer-invalid' };
  for (const reply of [undefined, null, 'x', 7, {}, ['a'], [['a', 'b'], 'c', 'd']]) {
    t.throws(() => readFieldAddress(readFields(reply, 'it'), 'it'), { code: invalid.code }, JSON.stringify(reply));
  }
  t.throws(() => readFieldsList('x', 'it'), { code: invalid.code });
  for (const epoch of ['-1', '1.5', 'x', '9007199254740992', '']) {
    const fields = readFields(['config-epoch', epoch], 'it');
    t.throws(() => readCount(fields, 'config-epoch', 'it'), { code: invalid.code }, epoch);
  }
  t.throws(() => readCount(readFields([], 'it'), 'config-epoch', 'it'), { code: invalid.code }, 'missing');
  const hostile = fc.oneof(fc.anything(), fc.array(fc.string()), fc.array(fc.anything()));
  const isRead = (reply: unknown) => {
    try {
      readFieldAddress(readFields(reply, 'it'), 'it');
      return true;
    } catch (error) {
      return error instanceof SwitchmasterError && error.code === 'redis-answer-invalid';
    }
  };
  for (const part of notTexts) t.ok(isRead([part, 'x', 'ip', part]));
  fc.assert(fc.property(hostile, isRead));
});

t.test('a name of a field cannot reach the prototype', async (t) => {
  const fields = readFields(['__proto__', 'x', 'constructor', 'y'], 'it');
  t.equal(fields.constructor, 'y');
  t.equal(({} as Record<string, unknown>).x, undefined);
});

t.test('texts that are no hosts are refused', async (t) => {
  for (const ip of ['', 'a b', 'a\n', '<x>', '"', 'x'.repeat(254)]) {
    t.throws(() => readFieldAddress(readFields(['ip', ip, 'port', '1'], 'it'), 'it'), JSON.stringify(ip));
    t.equal(readReplica(readFields(['ip', ip, 'port', '1'], 'it')), undefined);
    t.equal(readPeer(readFields(['ip', ip, 'port', '1'], 'it')), undefined);
  }
  t.strictSame(readFieldAddress(readFields(['ip', 'redis_1.local', 'port', '1'], 'it'), 'it').host, 'redis_1.local');
});

t.test('flags become the condition of a master', async (t) => {
  const of = (flags: string) => readCondition(readFields(['flags', flags], 'it'));
  t.strictSame(of('master'), { condition: 'up', linked: true });
  t.strictSame(of('master,disconnected'), { condition: 'up', linked: false });
  t.strictSame(of('s_down,master,disconnected'), { condition: 's_down', linked: false });
  t.strictSame(of('s_down,o_down,master'), { condition: 'o_down', linked: true });
  t.strictSame(of('s_down,o_down,master,failover_in_progress'), { condition: 'failover', linked: true });
});

t.test('flags and the link become the condition of a replica', async (t) => {
  const of = (...rest: string[]) => readReplica(readFields(['ip', 'a', 'port', '1', ...rest], 'it'))?.condition;
  t.equal(of('flags', 'slave', 'master-link-status', 'ok', 'role-reported', 'slave'), 'up');
  t.equal(of('flags', 'slave', 'master-link-status', 'err', 'role-reported', 'slave'), 'link-down');
  t.equal(of('flags', 'slave', 'master-link-status', 'ok', 'role-reported', 'master'), 'master');
  t.equal(of('flags', 'slave,disconnected', 'role-reported', 'master'), 'unlinked');
  t.equal(of('flags', 's_down,slave,disconnected'), 's_down');
});

t.test('a replica has the times that count for its selection', async (t) => {
  const times = ['master-link-down-time', '3', 'last-ok-ping-reply', '4', 'info-refresh', '5'];
  const replica = readReplica(readFields(['ip', 'a', 'port', '1', ...times], 'it'));
  t.match(replica, { masterLinkDownMs: 3, pingAgeMs: 4, infoAgeMs: 5 });
});

t.test('peers have their id if it is known', async (t) => {
  const of = (id: string) => readPeer(readFields(['ip', 'a', 'port', '1', 'runid', id], 'it'))?.id;
  t.strictSame([of(runId), of(''), of('x')], [runId, undefined, undefined]);
});

t.test('a Sentinel of Valkey 9 reports that its failover is coordinated', (t) => {
  const fields = ['ip', '10.0.0.1', 'port', '6379', 'config-epoch', '5', 'quorum', '2', 'num-other-sentinels', '2'];
  const viewOf = (flags: string) =>
    readView({
      ...{ name: 'm', sentinelId: runId, sentinel: { host: '10.0.1.1', port: 26379 }, replicas: [] },
      master: [...fields, 'failover-timeout', '60000', 'flags', flags],
    });
  t.match(viewOf('master,s_down,failover_in_progress,coordinated_failover'), {
    condition: 'failover',
    isCoordinated: true,
  });
  t.notOk('isCoordinated' in viewOf('master,s_down,failover_in_progress,force_failover'));
  t.end();
});
