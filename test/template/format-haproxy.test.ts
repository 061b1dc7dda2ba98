import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { renderText, textOf } from './world.ts';

/* haproxy.cfg: HAProxy evaluates log formats and expressions, but no part of a value. */

function print(template: string, x: unknown): string {
  return textOf(renderText({ text: template, format: 'haproxy', vars: { x } }));
}

/** Lines of a frontend that HAProxy 2.6 accepts; `@` is the value. */
const formats = [
  'log-format "@"',
  "log-format 'a @'",
  'log-format a@',
  'log-format-sd @',
  'error-log-format "@"',
  'unique-id-format "@"',
  'use_backend @',
  'use_backend "@" if { path /a }',
  'http-request set-header X "@"',
  'http-request set-header X @ if { path /%a }',
  'http-request add-header X "a @"',
  'http-request early-hint X "@"',
  'http-response set-header X "@"',
  'http-after-response add-header X "@"',
  'http-request set-path "@"',
  'http-request set-query "@"',
  'http-request set-map(/dev/null) "@" a',
  'http-request set-map(/dev/null) a "@"',
  'http-request add-acl(/dev/null) "@"',
  'http-request set-var-fmt(txn.x) "@"',
  'redirect location "@"',
  'redirect prefix "/@" code 301',
  'http-request redirect scheme "@" if TRUE',
  'http-request return status 200 content-type text/plain lf-string "@"',
  'http-request return status 200 content-type text/plain string a hdr X "@"',
  'http-request deny deny_status 403 hdr X "@"',
  'http-error status 503 content-type text/plain lf-string "@"',
  'tcp-request content set-var-fmt(txn.x) "@"',
  'tcp-request connection set-var-fmt(txn.x) "@" if TRUE',
  'tcp-response content set-var-fmt(txn.x) "@"',
  'tcp-check send-lf "@"',
  'tcp-check expect string a on-error "@"',
  'http-check send meth GET uri-lf "/@" body-lf a',
  'http-check send body-lf "@"',
  'http-check send hdr X "@"',
  'http-check expect status 200 on-success "@"',
  'http-check set-var-fmt(check.x) "@"',
];

t.test('a percent sign is doubled in a log format', async (t) => {
  for (const line of formats) {
    const text = print(`${line.replace('@', '{{vars.x}}')}\n`, '%[env(HOME)]');
    t.ok(text.includes('%%[env(HOME)]') && !/(?<!%)%\[/.test(text), `${line}: ${text}`);
    t.ok(print(`${line.replace('@', '{{vars.x}}')}\n`, '100%').includes('100%%'), line);
  }
});

t.test('a backslash of a replacement is doubled too, because HAProxy reads groups in it', async (t) => {
  for (const action of ['replace-header X ^a$', 'replace-value X ^a$', 'replace-path ^a$', 'replace-uri ^a$']) {
    t.equal(
      print(`http-request ${action} "{{vars.x}}"\n`, '\\1%[env(A)]'),
      `http-request ${action} "\\\\\\\\1%%[env(A)]"\n`,
    );
  }
  t.equal(print('http-request replace-header X "{{vars.x}}" a\n', '%a'), 'http-request replace-header X "%a" a\n');
});

t.test('a percent sign stays where HAProxy reads text', async (t) => {
  for (const line of [
    'stats auth u:@',
    'user a insecure-password "@"',
    'server a 10.0.0.1:1 cookie @',
    'setenv A "@"',
    'log-tag @',
    'option httpchk GET /@',
    'http-request set-header @ x',
    'http-request return status 200 content-type "@" string "@" hdr a b',
    'http-request deny if { path "@" }',
    'http-request set-header X a if { path -m str "@" } || { hdr(a) @ }',
    'http-check send uri "/@" hdr "@" b body @',
    'http-check expect header name -m str "@" value "@"',
    'tcp-check send "@"',
    'acl a path -m beg @',
    'errorfile 503 /@',
    '# log-format "@"',
    'log-format a # @',
  ]) {
    const text = print(`${line.replaceAll('@', '{{vars.x}}')}\n`, 'a%20b');
    t.equal(text.replaceAll('"', ''), `${line.replaceAll('@', 'a%20b').replaceAll('"', '')}\n`);
  }
});

t.test('a value is no expression, and no part of one unless it is plain', async (t) => {
  for (const line of [
    'http-request set-var(txn.x) @',
    'http-request set-var(txn.x) str(@)',
    'http-request set-header X "%[str(@)]"',
    'http-request set-header X "a %[var(txn.x),concat(@)] b"',
    'http-request return lf-string %[@]',
    'http-request track-sc0 @',
    'http-request set-map(@) a b',
    'tcp-request content capture @ len 3',
    'acl x @',
    'http-request deny if { @ -m found }',
    'server a 10.0.0.1:1 ssl sni @',
    'stick on @',
    'balance hash @',
    'http-request @ X y',
  ]) {
    for (const x of ['env(HOME)', 'a),env(HOME', ']%[env(HOME)]', 'a,lower', '%[env(HOME)]'])
      t.match(print(`${line.replace('@', '"{{vars.x}}"')}\n`, x), /^value-refused.*in an expression/, `${line} ${x}`);
    t.notMatch(print(`${line.replace('@', '{{vars.x}}')}\n`, 'src_1.a-b'), /refused/, line);
  }
  t.equal(print('log-format "%[src] {{vars.x}}"\n', '[::1]%'), 'log-format "%[src] [::1]%%"\n');
});

t.test('a value does not complete a variable that the template begins', async (t) => {
  for (const line of [
    'log-format "a%@"',
    'log-format a%@',
    'log-format %{+Q}@',
    'log-format "%%%@"',
    'redirect prefix "%"@',
  ])
    for (const x of ['[env(HOME)]', 'HM', 'ci', 'a b'])
      t.match(print(`${line.replace('@', '{{vars.x}}')}\n`, x), /^value-refused.*would complete/, `${line} ${x}`);
  t.match(print('http-request replace-path a "%{{vars.x}}"\n', 'HM'), /^value-refused/);
  for (const line of [
    'log-format "a%%@"',
    'log-format "%ci @"',
    'log-format "%[src]@"',
    'setenv A 50%@',
    'acl a path %@',
  ])
    t.equal(print(`${line.replace('@', '{{vars.x}}')}\n`, 'HM'), `${line.replace('@', 'HM')}\n`);
  t.equal(print('log-format "{{vars.x}}{{vars.x}}"\n', '%'), 'log-format "%%%%"\n');
  t.equal(print('log-format {{vars.x}}{{vars.x}}\n', 'a%'), 'log-format "a%%""a%%"\n');
});

t.test('where the argument is not known, a percent sign is refused', async (t) => {
  for (const line of [
    'http-request new-action "@"',
    'new-keyword @',
    'http-check new "@"',
    // HAProxy evaluates headers that follow the version.
    'option httpchk GET / "HTTP/1.1\\r\\nX: @"',
    'option httpchk GET / HTTP/1.1 "@"',
  ])
    for (const x of ['%[env(A)]', 'env(A)', '$A'])
      t.match(print(`${line.replace('@', '{{vars.x}}')}\n`, x), /^value-refused.*not known.*raw/, `${line} ${x}`);
  t.equal(print('new-keyword {{vars.x}}\n', 'a b'), 'new-keyword "a b"\n');
});

const noHaproxy = spawnSync('haproxy', ['-v']).status !== 0;

t.test('no value makes HAProxy read its environment for an address', { skip: noHaproxy }, async (t) => {
  for (const line of [
    "server s '@:6379'",
    'server s 10.0.0.1:1 check source "@"',
    'server s 10.0.0.1:1 addr @ check',
    'server-template s 1 @',
    'default-server addr @',
    'bind "@:80"',
    'dispatch @:80',
    'source @',
    'peer p @:1',
    'nameserver n @:53',
    'mailer m @:25',
    'log "@" local0',
    'stats socket "/run/@"',
    'tcp-check connect addr @',
    'http-check connect addr @',
  ])
    for (const x of ['$HOME', 'a$1'])
      t.match(print(`${line.replace('@', '{{vars.x}}')}\n`, x), /^value-refused.*in an address/, line);
  for (const line of ['stats auth @', 'server @ 10.0.0.1:1', 'log 10.0.0.1:1 format @', 'bind :1 name @'])
    t.equal(print(`${line.replace('@', '{{vars.x}}')}\n`, '$a'), `${line.replace('@', '"\\$a"')}\n`);
  // Quotes do not keep HAProxy from it.
  const file = join(t.testdir(), 'haproxy.cfg');
  writeFileSync(file, `listen l\n bind 127.0.0.1:1\n server a '$NAME'\n server b "\\$NAME"\n`);
  const { stderr } = spawnSync('haproxy', ['-c', '-f', file], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NAME: 'name.invalid' },
  });
  for (const name of ['a', 'b']) t.match(stderr, new RegExp(`server l/${name}.*name[.]invalid`));
});

t.test('HAProxy accepts what is written', { skip: noHaproxy }, async (t) => {
  const values = ['%[env(HOME)]', '%ci%[', '%{Q}o', '"%(x) $HOME 100%'];
  const sections = values.flatMap((x) =>
    // The name of a backend has no percent sign anyway.
    formats
      .filter((line) => !line.startsWith('use_backend'))
      .map((line, i) => {
        const kind = /^(?:redirect|log-|error-|unique|tcp-request connection)/.test(line) ? 'frontend' : 'backend';
        return `${kind} s${values.indexOf(x)}-${i}\n ${print(`${line.replace('@', '{{vars.x}}')}\n`, x)}`;
      }),
  );
  const file = join(t.testdir(), 'haproxy.cfg');
  const timeouts = ['connect', 'client', 'server'].map((name) => ` timeout ${name} 1s\n`).join('');
  writeFileSync(file, `defaults\n mode http\n${timeouts}frontend f\n bind 127.0.0.1:1\n${sections.join('')}`);
  const { stderr, status } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
  t.equal(
    status,
    0,
    stderr
      .split('\n')
      .filter((line) => line.includes('[ALERT]'))
      .join('\n'),
  );
});
