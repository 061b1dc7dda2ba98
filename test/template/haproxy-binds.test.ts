import t from 'tap';
import { describeOverlaps, findDoubleBind } from '../../lib/template/haproxy-binds.ts';
import { renderText } from './world.ts';

const two = (first: string, second: string) => `frontend a\nbind ${first}\n\nlisten b\n\tbind ${second}\n`;

t.test('two proxies on one address are refused, both named', async (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['127.0.0.1:6379', '127.0.0.1:6379'],
    ['*:6379', ':6379 ssl crt /x'],
    ['0.0.0.0:6379', 'ipv4@*:6379'],
    ['127.0.0.1:1,127.0.0.1:2', '127.0.0.1:2'],
    ['[::1]:1', '[::1]:1'],
    ['[::]:1', ':::1 v6only'],
    ['ipv6@:1', '[0:0::0]:1'],
    ['[::1]:1', '::1:1'],
    ['127.0.0.1:1', 'localhost:1'],
    ['tcp@127.0.0.1:1', 'ipv4@127.0.0.1:1'],
    ['127.0.0.1:16379-16381', '127.0.0.1:16380'],
    ['*:10-20', ':20-30'],
    ['/run/a.sock', '/run/a.sock mode 600'],
    ['/run/a.sock', 'unix@/run/a.sock'],
    ['*:1 interface eth0', '*:1 interface eth0'],
  ];
  for (const [first, second] of same) {
    t.match(findDoubleBind(two(first, second)), /^"frontend a" and "listen b" both listen at /, `${first} ${second}`);
  }
});

t.test('what HAProxy keeps apart stays permitted', async (t) => {
  const apart = [
    two('127.0.0.1:1', '127.0.0.2:1'),
    two('127.0.0.1:1', '*:1'),
    two('*:1', '[::]:1 v6only'),
    two('127.0.0.1:1-3', '127.0.0.1:4-6'),
    two('127.0.0.1:1', 'quic4@127.0.0.1:1'),
    two('/run/a.sock:1', '/run/a.sock:2'),
    two('*:1 interface eth0', '*:1 interface eth1'),
    'frontend a\n bind *:1 thread 1\n bind *:1 thread 2\n',
    `${two('*:1', '*:1')} disabled\n`,
    `.if defined(X)\n${two('*:1', '*:1')}.endif\n`,
    `${two('*:1', '*:2')}# bind *:1\n`,
  ];
  for (const text of apart) t.equal(findDoubleBind(text), undefined, text);
});

t.test('a port on all addresses and on one of them is reported', async (t) => {
  const overlapping: readonly (readonly [string, string])[] = [
    ['*:1', '127.0.0.1:1'],
    ['127.0.0.1:1', ':1'],
    ['0.0.0.0:1-3', '10.0.0.5:2'],
    ['[::]:1', '[::1]:1'],
    [':::1 v6only', '[::1]:1'],
    ['[::]:1', '127.0.0.1:1'],
    ['[::]:1', '*:1'],
    ['*:1 interface eth0', '10.0.0.5:1 interface eth0'],
  ];
  for (const [first, second] of overlapping) {
    const [sentence, ...more] = describeOverlaps(two(first, second));
    t.match(
      sentence,
      /^"(frontend a|listen b)" binds .* connections to that address reach only "(frontend a|listen b)"\./,
    );
    t.strictSame(more, [], first);
  }
  for (const [first, second] of [
    ['*:1', '127.0.0.1:2'],
    ['*:1', '[::1]:1'],
    ['*:1', '[::]:1 v6only'],
    ['*:1 interface eth0', '10.0.0.5:1'],
    ['127.0.0.1:1', '10.0.0.5:1'],
    ['/run/a.sock', '*:1'],
  ] as const)
    t.strictSame(describeOverlaps(two(first, second)), [], `${first} ${second}`);
  t.match(renderText({ format: 'haproxy', text: two('*:1', '127.0.0.1:1') }).warnings, [/reach only "listen b"/]);
});

t.test('ranges of ports are compared as ranges', async (t) => {
  t.match(findDoubleBind(two('*:1-65535', ':60000-70000')), /both listen at \*:60000:/);
  t.match(findDoubleBind(two('*:5,*:1-9', ':9')), /both listen at \*:9:/);
  t.match(findDoubleBind(two('*:8', ':9,:1-3,:2-8')), /"frontend a" and "listen b" both listen at \*:8:/);
  t.strictSame(describeOverlaps(two('*:1-3,*:9', '10.0.0.5:2-9,10.0.0.5:20')), [
    '"frontend a" binds *:2-3 and "listen b" binds 10.0.0.5:2-3: connections to that address reach only "listen b". Give each its own port.',
    '"frontend a" binds *:9 and "listen b" binds 10.0.0.5:9: connections to that address reach only "listen b". Give each its own port.',
  ]);
  t.strictSame(describeOverlaps(two('*:1-3', '10.0.0.5:4-9')), []);
});

t.test('all ports of many addresses take little time', async (t) => {
  const hosts = Array.from({ length: 300 }, (_, i) => `127.0.${i >> 8}.${i & 255}`);
  const text = `${two('*:1-65535', hosts.map((host) => `${host}:1-65535`).join())}`;
  const before = process.threadCpuUsage();
  t.equal(findDoubleBind(text), undefined);
  t.equal(describeOverlaps(text).length, 300);
  const { user, system } = process.threadCpuUsage(before);
  t.ok((user + system) / 1_000 < 1_000, `${(user + system) / 1_000} ms`);
});

t.test("a user's own template is refused as well, and only in HAProxy's format", async (t) => {
  const text = two('*:{{vars.x}}', '*:1');
  t.match(renderText({ format: 'haproxy', text, vars: { x: 1 } }).refusal, /both listen at \*:1/);
  t.equal(renderText({ format: 'conf', text, vars: { x: 1 } }).refusal, undefined);
});

t.test('conditions and other sections hide no double bind', async (t) => {
  const a = 'frontend a\nbind 127.0.0.1:1\n';
  const hidden: Readonly<Record<string, string>> = {
    'a condition elsewhere': `global\n.if version_atleast(2.4)\nnbthread 2\n.endif\n${a}frontend b\nbind 127.0.0.1:1\n`,
    'a condition in a proxy': `${a}frontend b\nbind 127.0.0.1:1\n.if defined(X)\nbind *:2\n.endif\n`,
    'the runtime API': `global\nstats socket 127.0.0.1:1 level admin\n${a}`,
    peers: `${a}peers p\nbind 127.0.0.1:1\n`,
    logs: `${a}log-forward l\nbind 127.0.0.1:1\n`,
  };
  for (const [what, text] of Object.entries(hidden))
    t.match(findDoubleBind(text), /both listen at 127\.0\.0\.1:1/, what);
  const conditional = `${a}frontend b\n.if defined(X)\ndisabled\n.endif\nbind 127.0.0.1:1\n`;
  t.equal(findDoubleBind(conditional), undefined);
});

t.test('a proxy whose servers HAProxy takes from its state file is reported', async (t) => {
  const proxy = (name: string, line = '') => `backend ${name}\n${line}\nserver s 127.0.0.1:1\n`;
  const reported = (text: string) => renderText({ format: 'haproxy', text }).warnings.join();
  const load = 'load-server-state-from-file';
  t.match(reported(`defaults\n${load} global\n${proxy('a')}${proxy('b', `${load} none`)}`), /the servers of a from/);
  t.match(reported(proxy('a', `"${load}" local`)), /the servers of a from/);
  t.match(reported(`defaults d\n${load} global\ndefaults\nmode tcp\n${proxy('a')}${proxy('b from d')}`), /of b from/);
  for (const silent of [
    proxy('a'),
    `defaults\n${load} global\nfrontend f\nbind :1\n`,
    `defaults\n${load} global\ndefaults\nmode tcp\n${proxy('a')}`,
    `defaults\n${load} none\n${proxy('a')}`,
  ])
    t.equal(reported(silent), '', silent);
});
