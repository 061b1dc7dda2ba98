import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { clusterKey } from '../../lib/model/naming.ts';
import { findHaproxyDefaults } from '../../lib/renderer/observe/haproxy-defaults.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import type { HaproxyDefaults } from '../../lib/template/scope.ts';
import { knowRecords, makeRecord, makeWorld, textOf } from './world.ts';

/* What the two bundled configs of HAProxy have beside their listeners: Debian's defaults, and what the operator adds. */

const key = clusterKey({ environment: undefined }, 'sessions');
const shards = [{ slots: [], master: { host: '10.0.0.7', port: 7000 }, replicas: [] }];
const known = {
  ...knowRecords([makeRecord({ name: 'shard1', master: { host: '10.0.0.1', port: 6379 } })]),
  [`key(${key})`]: { key, value: JSON.stringify({ shards }), modifyIndex: 1 },
};
const needed = { ports: { shard1: 16379 }, cluster: 'sessions' };
const machine: HaproxyDefaults = { user: 'haproxy', group: 'haproxy', chroot: '/var/lib/haproxy', log: '/dev/log' };

for (const file of ['haproxy.cfg.hbs', 'redis-cluster-haproxy.cfg.hbs']) {
  const rendering = (vars: Record<string, unknown>, haproxyDefaults: HaproxyDefaults = {}, files = {}) => {
    const text = readFileSync(join(import.meta.dirname, '../../templates', file), 'utf8');
    const template = compileTemplate({ template: { file, text }, format: 'haproxy' });
    return template.render(makeWorld(known, { vars: { ...needed, ...vars }, haproxyDefaults, files }));
  };
  const render = (...input: Parameters<typeof rendering>): string => textOf(rendering(...input));
  const passesCheck = (t: Test, text: string, ...before: readonly string[]): string => {
    const folder = t.testdir();
    const files = [...before, text].map((content, i) => {
      const file = join(folder, `${i}.cfg`);
      writeFileSync(file, content);
      return file;
    });
    const { status, stderr } = spawnSync('haproxy', ['-c', ...files.flatMap((path) => ['-f', path])], {
      encoding: 'utf8',
    });
    t.equal(status, 0, stderr);
    return stderr;
  };

  t.test(`${file} drops root and logs, as Debian's config does`, async (t) => {
    const text = render({}, machine);
    const lines = [
      'log /dev/log local0',
      'log /dev/log local1 notice',
      'chroot /var/lib/haproxy',
      'user haproxy',
      'group haproxy',
    ];
    t.match(
      text,
      `global\n${lines.map((line) => `    ${line}\n`).join('')}    stats socket /run/haproxy/admin.sock mode 660 level`,
    );
    t.match(text, /defaults\n {4}mode tcp\n {4}log global\n {4}option tcplog\n {4}option dontlognull\n/);
    passesCheck(t, render({}, findHaproxyDefaults(undefined)));
  });

  t.test(`${file} leaves out what the machine lacks, what is set to false, and all of it in a fragment`, async (t) => {
    const lines = /^ {4}(?:log|chroot|user|group) (?!global)/m;
    t.notMatch(render({}), lines);
    t.notMatch(render({ user: false, group: false, chroot: false, log: false }, machine), lines);
    t.notMatch(render({ fragment: true, user: 'redis' }, machine), lines);
    const text = render({ user: 'redis', log: '127.0.0.1:514', chroot: false, stats_socket_group: 'redis' }, machine);
    t.match(
      text,
      /^ {4}log 127\.0\.0\.1:514 local0\n {4}log 127\.0\.0\.1:514 local1 notice\n {4}user redis\n {4}group haproxy\n/m,
    );
    t.match(text, /^ {4}stats socket \S+ mode 660 group redis level admin expose-fd listeners$/m);
    passesCheck(t, text.replaceAll('redis', 'root'));
  });

  t.test(`${file} takes more lines and sections, and a file of the operator`, async (t) => {
    const vars = {
      global: 'nbthread 1\ntune.bufsize 32768\n',
      defaults: 'timeout queue 5s\n',
      sections:
        'frontend web\n    bind 127.0.0.1:18080\n    default_backend web\nbackend web\n    server s 127.0.0.1:1\n',
      include: '/etc/mine.cfg',
    };
    const files = { '/etc/mine.cfg': 'listen mine\n    bind 127.0.0.1:18081\n    server s 127.0.0.1:1\n' };
    const text = render(vars, machine, files);
    t.match(text, /^ {4}nbthread 1\n {4}tune\.bufsize 32768\n\ndefaults$/m);
    t.match(text, /^ {4}timeout queue 5s\n\nfrontend /m);
    t.match(
      text,
      /\nfrontend web\n {4}bind 127\.0\.0\.1:18080\n[\s\S]*\nlisten mine\n {4}bind 127\.0\.0\.1:18081\n {4}server s 127\.0\.0\.1:1\n$/,
    );
    passesCheck(t, render(vars, {}, files));
    const sections = 'frontend web\n    bind 127.0.0.1:16379\n    bind 127.0.0.1:7000\n';
    t.match(rendering({ sections }).refusal, /both listen at 127\.0\.0\.1:/);
  });

  t.test(`${file} passes as a fragment beside a config of the operator's own`, async (t) => {
    const [own = ''] = render({}, findHaproxyDefaults(undefined)).split('\nfrontend ');
    const text = render({ fragment: true, stats_socket: '/run/haproxy/redis.sock' }, findHaproxyDefaults(undefined));
    t.notMatch(passesCheck(t, text, own), /ALERT/);
  });
}
