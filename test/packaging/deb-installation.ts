import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import { buildDeb } from '../../packaging/deb.ts';
import { type BootedRoot, boot } from '../sandbox/booted-root.ts';
import { waitFor } from '../sandbox/condition.ts';
import { makeDebianRoot } from '../sandbox/debian-root.ts';

/*
 * `npm run test:deb`: the Debian package in a Debian that systemd has booted, from its installation to its purge. SUITES names
 * the Debians.
 */

const suites = (process.env.SUITES ?? 'bookworm,trixie').split(',') as ('bookworm' | 'trixie')[];
const packages = ['dbus', 'haproxy', 'init-system-helpers', 'polkitd', 'procps', 'systemd', 'systemd-sysv'];
const { version } = JSON.parse(await readFile(path.resolve(import.meta.dirname, '../../package.json'), 'utf8'));
const built = t.testdir({});
const former = await buildDeb({ folder: path.join(built, 'former'), version: '0.0.9', compression: 'fast' });
const current = await buildDeb({ folder: path.join(built, 'current'), compression: 'fast' });

const config = `
api: { listen: "127.0.0.1:8680", tokenFile: /etc/switchmaster/api.token }
templates:
  - contents: "global\\n  stats socket /run/haproxy/admin.sock mode 660 level admin\\ndefaults\\n  mode tcp\\n  timeout client 1s\\n  timeout server 1s\\n  timeout connect 1s\\nlisten here\\n  bind 127.0.0.1:7070\\n"
    destination: /etc/haproxy/haproxy.cfg
    format: haproxy
    adopt: true
    check: ["haproxy", "-c", "-f", "{{file}}"]
    reload: ["systemctl", "reload", "haproxy"]
`;

for (const suite of suites) {
  t.test(`Debian ${suite}`, async (t) => {
    const root = await makeDebianRoot({ suite, packages });
    t.teardown(() => root.close());
    await copyFile(former, path.join(root.folder, 'root/former.deb'));
    await copyFile(current, path.join(root.folder, 'root/current.deb'));
    // It would keep the package from starting its unit.
    await root.run(['rm', '/usr/sbin/policy-rc.d']);
    const debian = await boot(root);
    t.teardown(() => debian.close());
    await follow(t, { debian, write: (file, text) => writeFile(path.join(root.folder, file), text) });
  });
}

const installedVersion = 'dpkg-query -W switchmaster | cut -f 2';

interface Scene {
  readonly debian: BootedRoot;
  write(file: string, text: string): Promise<void>;
}

async function follow(t: Test, { debian, write }: Scene): Promise<void> {
  const must = async (command: string): Promise<string> => {
    const { exitCode, text } = await debian.run(command);
    if (exitCode !== 0) t.comment((await debian.run('journalctl --no-pager -n 40')).text);
    t.equal(exitCode, 0, `${command}\n${text}`);
    return text;
  };
  const show = async (property: string, unit = 'switchmaster') =>
    (await debian.run(`systemctl show --value -p ${property} ${unit}`)).text.trim();
  const isActive = (why: string) =>
    waitFor(`the daemon to be active ${why}`, () => show('ActiveState'), { until: (state) => state === 'active' });
  const token = () => must('cat /etc/switchmaster/api.token');

  await t.test('the installation makes the user and the token, and starts the hardened unit', async (t) => {
    await must('dpkg -i /root/former.deb');
    await isActive('after the installation');
    t.equal(await must('stat -c %U:%G:%a /etc/switchmaster/api.token'), 'root:switchmaster:640');
    t.match(await token(), /^[0-9a-f]{64}$/);
    t.equal(await must('stat -c %U /proc/$(systemctl show --value -p MainPID switchmaster)'), 'switchmaster');
    t.equal(await must('stat -c %U /var/lib/switchmaster'), 'switchmaster');
    t.match(await show('StatusText'), /^(all is well|well|warning|degraded)/);
    await must('systemd-analyze verify --man=no switchmaster.service');
    await must('systemd-analyze security --threshold=30 switchmaster.service');
    // Without a Consul all is not well; what counts is that it finds the daemon and answers.
    t.match((await debian.run('switchmaster status')).text, /It follows no master and keeps no file/);
    t.equal(await must(installedVersion), '0.0.9');
  });

  await t.test('without being root, it writes the config of HAProxy and reloads it by systemctl', async (t) => {
    await must('systemctl restart haproxy');
    await write('etc/switchmaster/switchmaster.yml', config);
    await must('systemctl reload switchmaster');
    await waitFor(
      'HAProxy to listen by its new config',
      () => debian.run('grep -q " 0100007F:1B9E .* 0A " /proc/net/tcp'),
      {
        until: ({ exitCode }) => exitCode === 0,
      },
    );
    t.equal(await must('stat -c %U:%a /etc/haproxy/haproxy.cfg'), 'root:644');
    t.match(await must('journalctl --no-pager -u haproxy'), /Reload/i);
  });

  await t.test('a reload of a config with errors fails, shows them, and keeps the daemon', async (t) => {
    await write('etc/switchmaster/more.yml', 'nonsense: 1\n');
    const pid = await show('MainPID');
    t.not((await debian.run('systemctl reload switchmaster')).exitCode, 0);
    t.match(await must('journalctl --no-pager -u switchmaster -n 30'), /nonsense: unknown section/);
    await waitFor('the status to say so', () => debian.run('switchmaster status'), {
      until: ({ text }) => text.includes('nonsense'),
    });
    t.equal(await show('MainPID'), pid);
    await must('rm /etc/switchmaster/more.yml && systemctl reload switchmaster');
    t.equal(await show('MainPID'), pid);
  });

  await t.test('systemd restarts a daemon that stands still, and one whose ExecStartPre failed', async (t) => {
    await must('mkdir -p /etc/systemd/system/switchmaster.service.d');
    const pre =
      "ExecStartPre=/bin/sh -c 'test -e /var/lib/switchmaster/second || { touch /var/lib/switchmaster/second; exit 1; }'";
    await write('etc/systemd/system/switchmaster.service.d/test.conf', `[Service]\nWatchdogSec=5\n${pre}\n`);
    await must('systemctl daemon-reload');
    await debian.run('systemctl restart switchmaster');
    await isActive('after a failed ExecStartPre');
    const pid = await show('MainPID');
    await must(`kill -STOP ${pid}`);
    await waitFor('another daemon', () => Promise.all([show('MainPID'), show('ActiveState')]), {
      timeoutMs: 120_000,
      until: ([main, state]) => main !== pid && main !== '0' && state === 'active',
    });
    t.match(await must('journalctl --no-pager -u switchmaster'), /Watchdog timeout/);
    await must('rm -r /etc/systemd/system/switchmaster.service.d && systemctl daemon-reload');
  });

  await t.test('an upgrade restarts the daemon, and keeps the config and the token', async (t) => {
    const [before, pid] = [await token(), await show('MainPID')];
    await must('dpkg -i /root/current.deb');
    await isActive('after the upgrade');
    t.not(await show('MainPID'), pid);
    t.equal(await token(), before);
    t.equal(await must('cat /etc/switchmaster/switchmaster.yml'), config.trimEnd());
    t.equal(await must(installedVersion), version);
    await must('systemctl stop switchmaster && dpkg -i /root/current.deb');
    t.equal(await show('ActiveState'), 'inactive', 'a daemon that was stopped stays so');
  });

  await t.test('a removal keeps the config and the token, a purge keeps nothing', async (t) => {
    await must('systemctl start switchmaster');
    await must('dpkg -r switchmaster');
    t.equal(await show('ActiveState'), 'inactive');
    await must('test -e /etc/switchmaster/switchmaster.yml && test -e /etc/switchmaster/api.token');
    await must('dpkg -P switchmaster');
    const left =
      'ls -d /etc/switchmaster /var/lib/switchmaster /usr/lib/switchmaster /etc/systemd/system/*.wants/switchmaster*';
    t.notMatch((await debian.run(left)).text, /^\//m);
  });
}
