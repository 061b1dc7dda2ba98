import t from 'tap';
import {
  type Address,
  canonicalHost,
  formatAddress,
  isAddress,
  isDefaultLoopback,
  isHost,
  isIpAddress,
  isLoopback,
  isNodeLocal,
  parseAddress,
  sameAddress,
  shareAddress,
  toAddress,
} from '../../lib/model/address.ts';

t.test('an address is read as it is written', async (t) => {
  for (const text of [
    '10.0.0.5:6379',
    'redis-1.example.com:1',
    '[fe80::1%1]:65535',
    '[fe80::1%eth0.5]:1',
    '[::1]:6379',
  ]) {
    const address = parseAddress(text);
    t.equal(address && formatAddress(address), text);
    t.ok(isAddress(address), text);
  }
});

t.test('a text that is not host and port is not an address', async (t) => {
  for (const text of [
    '',
    ':1',
    'a:0',
    'a:65536',
    'a b:1',
    '::1:6379',
    '[1::2::3]:6379',
    '[fe80::1%]:6379',
    '[redis-1]:6379',
    '/run/a:1',
    'http://a:1',
    'a:1x',
    `${'a'.repeat(254)}:1`,
  ])
    t.equal(parseAddress(text), undefined, text);
});

t.test('a text that no server accepts as a host is not a host', async (t) => {
  for (const host of ['', '?', undefined, 'a b', 'a/b']) t.notOk(isHost(host), String(host));
  t.equal(toAddress('?', '6379'), undefined);
  t.strictSame(toAddress('10.0.0.5', '6379'), { host: '10.0.0.5', port: 6379 });
  t.equal(toAddress('10.0.0.5', ''), undefined);
});

t.test('IP addresses differ from hostnames, and loopback addresses from others', async (t) => {
  const cases: readonly [string, boolean, boolean, boolean][] = [
    ['127.0.0.1', true, true, true],
    ['::1', true, true, true],
    ['localhost', false, true, true],
    ['127.0.3.7', true, true, false],
    ['127.3.7', false, true, false],
    ['0x7f.0.3.7', false, true, false],
    ['127.example.com', false, false, false],
    ['10.0.0.5', true, false, false],
    ['999.1.1.1', false, false, false],
    ['2001:db8::5', true, false, false],
    ['1::2::3', false, false, false],
    ['redis-1', false, false, false],
  ];
  for (const [host, ip, loopback, byDefault] of cases)
    t.strictSame([isIpAddress(host), isLoopback(host), isDefaultLoopback(host)], [ip, loopback, byDefault], host);
});

t.test('a host has one spelling', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['Redis-0.Redis.svc.', 'redis-0.redis.svc'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::05', '2001:db8::5'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:0a00:0005', '10.0.0.5'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['1::2::3', '1::2::3'],
    ['127.0x1.2.3', '127.0x1.2.3'],
    ['.', '.'],
    ...['127.1', '127.0.1', '0x7f.1', '0177.0.0.1', '2130706433', '017700000001', '0X7F000001', '127.0.0.01'].map(
      (host) => [host, '127.0.0.1'] as const,
    ),
    ['0', '0.0.0.0'],
    ['10.1', '10.1'],
    ['1.2.3.4.5', '1.2.3.4.5'],
    ['256.1', '256.1'],
    ['127.0x', '127.0x'],
  ];
  for (const [host, canonical] of cases) t.equal(canonicalHost(host), canonical, host);
  t.ok(sameAddress({ host: 'REDIS-1', port: 1 }, { host: 'redis-1.', port: 1 }));
  t.notOk(sameAddress({ host: '::1', port: 1 }, { host: '::1', port: 2 }));
  t.strictSame(toAddress('::FFFF:10.0.0.5', '6379'), { host: '10.0.0.5', port: 6379 });
});

t.test('the loopback and the unspecified address mean nothing to other machines, in all their spellings', async (t) => {
  for (const host of ['::ffff:127.0.0.1', 'LOCALHOST', 'ip6-localhost', '0:0:0:0:0:0:0:0', '0.0.0.0', '127.0.1.1'])
    t.ok(isNodeLocal(host), host);
  for (const host of ['localhost.localdomain', 'LocalHost6.LocalDomain6.']) t.ok(isNodeLocal(host), host);
  for (const host of [
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '0',
    '0:0:0:0:0:0:0:1',
    'app.localhost',
    '::1%lo',
    '::%lo',
    'fe80::1%eth0',
    'localhost.',
  ])
    t.ok(isNodeLocal(host), host);
  for (const host of ['127.0.3.7', '10.0.0.5', 'localhost.example.com', 'fe80::1']) t.notOk(isNodeLocal(host), host);
  for (const host of ['redis1', 'localhost1', 'redis1.localdomain']) t.notOk(isNodeLocal(host), host);
});

t.test('an address that is read again is the same object, which nobody can change', async (t) => {
  const address = toAddress('Redis-1.', '6379');
  t.equal(toAddress('redis-1', 6379), address);
  t.equal(parseAddress('redis-1:6379'), address);
  t.ok(Object.isFrozen(address));
  t.not(toAddress('redis-1', 6380), address);
  t.not(toAddress('redis-2', 6379), address);
  t.equal(formatAddress(toAddress('::1', 6379) as Address), '[::1]:6379');
  t.equal(shareAddress({ host: 'redis-1', port: 6379 }), address);
});

t.test('an address with a host that no DNS name can have is not kept', async (t) => {
  const host = 'x'.repeat(300);
  t.strictSame(shareAddress({ host, port: 1 }), { host, port: 1 });
  t.not(shareAddress({ host, port: 1 }), shareAddress({ host, port: 1 }));
});
