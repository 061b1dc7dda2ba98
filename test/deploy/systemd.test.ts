import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { unreadableExitCode } from '../../cmd/run.ts';
import { errorTable } from '../../lib/errors.ts';

const file = path.resolve(import.meta.dirname, '../../deploy/systemd/switchmaster.service');
const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /^[A-Z][A-Za-z]+=/.test(line));
const settings = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));

t.test('the unit allows the address families that the daemon and its C library use', (t) => {
  const families = settings.get('RestrictAddressFamilies')?.split(' ') ?? [];
  t.strictSame(families.sort(), ['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX']);
  t.end();
});

t.test('the unit restarts after a file that could not be read, and only a bad config keeps it stopped', (t) => {
  t.equal(settings.get('Restart'), 'always');
  t.equal(settings.get('RestartPreventExitStatus'), String(errorTable['config-invalid'].exitCode));
  t.not(String(unreadableExitCode), settings.get('RestartPreventExitStatus'));
  t.equal(settings.get('StartLimitIntervalSec'), '0');
  t.notOk(settings.has('ExecStartPre'), 'what run tolerates must not keep the unit from starting');
  t.end();
});

/** Runs the unit's ExecReload as systemd does, with a `switchmaster` and a `kill` that leave a mark. */
function reload(folder: string, checkCode: number) {
  const command = /^\/bin\/sh -c '(.*)'$/.exec(settings.get('ExecReload') ?? '')?.[1] ?? 'exit 99';
  const programs = `switchmaster() { echo "$*"; return ${checkCode}; }; kill() { echo "kill $*"; };`;
  // systemd replaces $$ by $.
  const script = `${programs} ${command.replaceAll('$$', '$')}`;
  return spawnSync('/bin/sh', ['-c', script], { cwd: folder, env: { MAINPID: '123' }, encoding: 'utf8' });
}

t.test('a reload checks the config first, fails as the check does, and signals the daemon in any case', (t) => {
  const invalid = errorTable['config-invalid'].exitCode;
  for (const checkCode of [0, 1, invalid]) {
    const result = reload(t.testdir(), checkCode);
    t.equal(result.stdout, 'check --config-only --config /etc/switchmaster\nkill -HUP 123\n');
    t.equal(result.status, checkCode);
  }
  t.end();
});
