import t from 'tap';
import {
  clusterCrashPrefix,
  clusterKey,
  clusterSteeringKey,
  crashBridgeKey,
  crashEvidenceKey,
  crashOrderKey,
  crashPrefix,
  dnsSafe,
  environmentLabel,
  externalNode,
  keySafe,
  nameInKey,
  nameInPath,
  nameTag,
  pathSafe,
  plainKey,
  provisionedKey,
  recordKey,
  rollingKey,
  steeringKey,
} from '../../lib/model/naming.ts';

const naming = { environment: undefined };

t.test('a name is one part of a key, whatever it holds, and can be read back', async (t) => {
  t.equal(recordKey(naming, 'team/app'), 'redis/record/team%2Fapp');
  t.equal(plainKey(naming, '..'), 'redis/master/%2E%2E');
  const names = ['shard1', 'team/app', 'a@b', 'my master', 'кэш', '日本', '50%', '%2F', '..', 'a\nb', 'ключ/a'];
  for (const name of names) {
    t.notMatch(keySafe(name), /\//);
    t.equal(nameInKey(keySafe(name)), name);
  }
  t.equal(new Set(names.map(keySafe)).size, names.length);
  t.equal(keySafe('a@b my.master-1_x'), 'a@b my.master-1_x', 'ordinary names stay as they are');
  for (const part of ['%', '%zz', '%41', 'team/app']) t.equal(nameInKey(part), part);
});

t.test('each key has a name as one part, and no two names have one key', async (t) => {
  const names = [
    'a',
    'a/b',
    'a%2Fb',
    'a/',
    '/a',
    '.',
    '..',
    'a/../b',
    'a//b',
    '%',
    'a\n',
    '.holders',
    'a/.holders',
    'A',
    'кэш',
  ];
  const evidence = (given: typeof naming, name: string) =>
    crashEvidenceKey(crashPrefix(given), { name, bridge: 'b/1' });
  const keys = {
    recordKey,
    plainKey,
    clusterKey,
    provisionedKey,
    steeringKey,
    rollingKey,
    clusterSteeringKey,
    crashBridge: (given: typeof naming, name: string) => crashBridgeKey(crashPrefix(given), name),
    crashOrder: (given: typeof naming, name: string) => crashOrderKey(clusterCrashPrefix(given, name), 'a:1'),
  };
  for (const [what, keyOf] of Object.entries({ ...keys, evidence })) {
    const parts = keyOf(naming, 'a').split('/').length;
    for (const name of names) {
      const key = keyOf(naming, name);
      t.equal(key.split('/').length, parts, `${what} ${name}`);
      t.notOk(
        key.split('/').some((part) => part === '' || part === '.' || part === '..'),
        `${what} ${name}`,
      );
    }
    t.equal(new Set(names.map((name) => keyOf(naming, name))).size, names.length, what);
  }
});

t.test('a name like a role is no role in DNS', async (t) => {
  t.strictSame(['shard1', 'team/a', 'masters'].map(nameTag), ['shard1', 'team-a', 'masters']);
  for (const name of ['master', 'MASTER', 'replica']) t.match(nameTag(name), new RegExp(`^${name}-[0-9a-f]{8}$`));
  t.not(nameTag('master'), nameTag('Master'));
});

t.test('a name is one part of a URL, which no client changes', async (t) => {
  for (const name of ['shard1', 'team/app', '.', '..', '...', 'a/../b', '%', '%2E', '%2e%2e', 'кэш', 'a b?c#d']) {
    const { pathname } = new URL(`/v1/masters/${pathSafe(name)}/failover`, 'http://127.0.0.1');
    const part = pathname.split('/')[3] ?? '';
    t.equal(pathname.split('/').length, 5, name);
    t.equal(nameInPath(decodeURIComponent(part)), /^(?:%2e){1,2}$/i.test(name) ? decodeURIComponent(name) : name, name);
  }
});

t.test('a master in an environment has one label in DNS, however long the names are', async (t) => {
  t.equal(environmentLabel('live', 'mymaster'), 'live-mymaster');
  const [long, other] = ['a', 'b'].map((end) => environmentLabel('production', `${'x'.repeat(59)}${end}`));
  t.equal(long?.length, 63);
  t.not(long, other);
  t.match(externalNode({ environment: 'production' }, 'x'.repeat(60)), /^redis-production-x{43}-[0-9a-f]{8}$/);
});

t.test('names outside ASCII have labels of their own in DNS', async (t) => {
  const labels = ['кэш', 'код', '日本', 'кэш1', 'ä'.repeat(80)].map(dnsSafe);
  for (const label of labels) t.match(label, /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/);
  t.equal(new Set(labels).size, labels.length);
  t.strictSame(['shard.1', 'a@b', 'Shard-1'].map(dnsSafe), ['shard-1', 'a-b', 'Shard-1']);
});
