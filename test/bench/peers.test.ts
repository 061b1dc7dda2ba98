import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { reportLeftOut } from '../../bench/peers/given.ts';

const bench = path.resolve(import.meta.dirname, '../../bench/main.ts');

t.test('a wrong path of a peer is an error before servers start', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'peers-'));
  const missing = path.join(folder, 'missing');
  const text = path.join(folder, 'text');
  writeFileSync(text, '');
  chmodSync(text, 0o644);
  const cases = [
    { option: '--smitty', path: missing, message: `there is no file ${missing}` },
    { option: '--redishappy', path: folder, message: `there is no file ${folder}` },
    { option: '--consul-templaterb', path: text, message: `${text} cannot be executed: run \`chmod +x ${text}\`` },
    { option: '--redis-twemproxy-agent', path: '', message: 'there is no file' },
  ];
  for (const { option, path, message } of cases) {
    const { exitCode, stderr } = await execa(process.execPath, [bench, 'peers', option, path], {
      reject: false,
      timeout: 60_000,
    });
    t.equal(exitCode, 1, option);
    t.match(stderr, `error: option '${option} <path>' argument '${path}' is invalid. ${message}`);
    t.notMatch(stderr, 'starting');
  }
});

t.test('one line names each peer that is not measured, and why', (t) => {
  const lines: string[] = [];
  reportLeftOut({ redishappy: '/usr/bin/redis-haproxy' }, (line) => lines.push(line));
  t.strictSame(lines, [
    'redis-twemproxy-agent is left out: the bench does not install it; give its program with --redis-twemproxy-agent <path>',
    'consul-templaterb is left out: the bench does not install it; give its program with --consul-templaterb <path>',
    'smitty is left out: the Go module proxy does not have it; give its program with --smitty <path>',
  ]);
  t.end();
});
