import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createContext, runInContext } from 'node:vm';
import t from 'tap';
import { unreadableExitCode } from '../../cmd/run.ts';
import { errorTable } from '../../lib/errors.ts';
import { selectEnv } from '../../lib/model/program-env.ts';
import { packagedUnit } from '../../packaging/unit.ts';
import { searchDirs } from '../../setup/paths.mjs';

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

t.test('what the unit sets for the memory of the daemon does not reach the programs that it starts', (t) => {
  const [name = '', value = ''] = settings.get('Environment')?.split('=') ?? [];
  t.ok(Number(value) > 0, `${name}=${value}`);
  t.strictSame(selectEnv({ [name]: value, PATH: '/bin' }), { PATH: '/bin' });
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

t.test('the unit is not root, and systemd rates its exposure below 3', (t) => {
  t.equal(settings.get('User'), 'switchmaster');
  t.equal(settings.get('AmbientCapabilities'), settings.get('CapabilityBoundingSet'));
  t.equal(settings.get('ProtectSystem'), 'strict');
  // Where there is a systemd that can judge a file.
  const argv = ['security', '--no-pager', '--offline=yes', '--threshold=29', file];
  const { error, status, stdout } = spawnSync('systemd-analyze', argv, {
    encoding: 'utf8',
    env: { PATH: searchDirs().join(':') },
  });
  t.ok(error !== undefined || status === 0, stdout);
  t.end();
});

t.test('the daemon notifies systemd that it works, and has it watched', (t) => {
  t.equal(settings.get('Type'), 'notify');
  t.equal(settings.get('NotifyAccess'), 'all', 'systemd-notify is no child of systemd');
  t.ok(Number(settings.get('WatchdogSec')) >= 10);
  t.ok(Number(settings.get('TimeoutStopSec')) >= 30);
  t.end();
});

t.test("the package's unit runs the package's program only", async (t) => {
  const unit = packagedUnit(await readFile(file, 'utf8'));
  t.match(unit, /^ExecStart=\/usr\/bin\/switchmaster run /m);
  t.match(unit, /^ExecReload=\/bin\/sh -c '\/usr\/bin\/switchmaster check /m);
  t.notMatch(unit, /\/usr\/bin\/env/);
});

t.test('the polkit rule lets the daemon reload consumers, and nothing else', async (t) => {
  const text = await readFile(path.resolve(file, '../polkit.rules'), 'utf8');
  t.notMatch(text, /=>|\b(?:const|let)\b|\.includes\(/, 'polkit of Debian 12 reads ECMAScript 5');
  const rules: ((action: object, subject: object) => string)[] = [];
  const polkit = {
    Result: { YES: 'yes', NOT_HANDLED: 'not handled' },
    addRule: (rule: (typeof rules)[number]) => rules.push(rule),
  };
  runInContext(text, createContext({ polkit }));
  const ask = (user: string, verb: string, unit: string, id = 'org.freedesktop.systemd1.manage-units') =>
    rules[0]?.({ id, lookup: (key: string) => ({ verb, unit })[key] }, { user });
  t.equal(ask('switchmaster', 'reload', 'haproxy.service'), 'yes');
  t.equal(ask('switchmaster', 'restart', 'nutcracker.service'), 'yes');
  t.equal(ask('switchmaster', 'stop', 'haproxy.service'), 'not handled');
  t.equal(ask('switchmaster', 'restart', 'ssh.service'), 'not handled');
  t.equal(ask('www-data', 'reload', 'haproxy.service'), 'not handled');
  t.equal(ask('switchmaster', 'reload', 'haproxy.service', 'org.freedesktop.login1.reboot'), 'not handled');
});

t.test("the package's scripts are valid for sh, and its conffiles are among its files", async (t) => {
  const folder = path.resolve(file, '../../debian');
  const scripts = (await readdir(folder)).filter((name) => /^(pre|post)(inst|rm)$/.test(name));
  t.strictSame(scripts.sort(), ['postinst', 'postrm', 'prerm']);
  for (const name of scripts) t.equal(spawnSync('/bin/sh', ['-n', path.join(folder, name)]).status, 0, name);
  const conffiles = (await readFile(path.join(folder, 'conffiles'), 'utf8')).trim().split('\n');
  t.strictSame(conffiles, ['/etc/switchmaster/switchmaster.yml', '/etc/default/switchmaster']);
});
