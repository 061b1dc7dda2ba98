import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { waitFor } from '../../sandbox/condition.ts';
import { readReloads } from '../../sandbox/haproxy-master.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Server } from '../../sandbox/server.ts';
import { projectDir } from '../pages.ts';
import type { Machine } from './machine.ts';

/** A service that `systemctl` of a machine knows. */
export interface Unit {
  readonly server: Server;
  /** What `systemctl reload` does. Without it, the unit cannot reload. */
  readonly reload?: () => Promise<void>;
}

/** Of a machine on which a package of Redis 8 is installed. */
export const upgradedFile = (program: string) => `/run/${program}-is-newer`;

/** The services of all machines, by machine and name. In place of systemd, which needs a machine for itself. */
export class Units {
  readonly #units = new Map<string, Unit>();

  /** Answers the `systemctl` of all machines, which is first in their PATH. */
  static async open(sandbox: Sandbox): Promise<Units> {
    const units = new Units();
    const socket = sandbox.path('systemd.sock');
    const server = createServer((request, response) => {
      void text(request)
        .then((words) => units.#carryOut(request.url?.slice(1) ?? '', words.split(' ')))
        .then((answer) => response.end(answer))
        .catch((error: unknown) => response.writeHead(500).end(`${String(error)}\n`));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    server.unref();
    const bin = sandbox.path('bin');
    mkdirSync(bin);
    writeProgram(join(bin, 'systemctl'), `echo -n "$*" | ${ask(socket)} "http://systemd/$MACHINE"`);
    const upgrade = (program: string) => `: > ${upgradedFile(program)}`;
    // Debian's redis-sentinel follows redis-server of the same machine.
    writeProgram(
      join(bin, 'apt-get'),
      `case "$*" in
'-o Dpkg::Options::=--force-confold install --yes redis-server') ${upgrade('redis-server')}; ${upgrade('redis-sentinel')} ;;
'-o Dpkg::Options::=--force-confold install --yes redis-sentinel') ${upgrade('redis-sentinel')} ;;
*) exit 1 ;;
esac`,
    );
    const commands = sandbox.path('$MACHINE.sock');
    writeProgram(
      join(bin, 'switchmaster'),
      `[ "$1" = run -o ! -S "${commands}" ] && exec ${process.execPath} ${projectDir}/cmd/switchmaster.ts "$@"
errors=${sandbox.folder}/errors.$$
{ printf '%s\\0' "$PWD"; env -0 | grep -z '^\\(SWITCHMASTER\\|CONSUL\\)_'; printf '\\0'; printf '%s\\0' "$@"; } | ${ask(commands)} "http://command$errors" > "$errors.output"
code=$?
# A command reports its progress before its result.
cat "$errors" >&2
cat "$errors.output"
exit "$code"`,
    );
    sandbox.env.PATH = `${bin}:${sandbox.env.PATH}`;
    return units;
  }

  add(machine: Machine, name: string, unit: Unit): void {
    this.#units.set(`${machine.name}/${name}`, unit);
  }

  get(machine: string, name: string): Unit {
    const unit = this.#units.get(`${machine}/${name}`);
    if (unit === undefined) throw new Error(`${machine} has no unit ${name}`);
    return unit;
  }

  async #carryOut(machine: string, [verb = '', ...rest]: readonly string[]): Promise<string> {
    const name = (rest.at(-1) ?? '').replace(/\.service$/, '');
    const unit = this.get(machine, name);
    const now = rest.includes('--now');
    if (verb === 'start' || (verb === 'enable' && now)) return unit.server.running ? '' : done(unit.server.start());
    if (verb === 'stop' || (verb === 'disable' && now)) return done(unit.server.stop());
    if (verb === 'reload-or-restart')
      return done(unit.server.running && unit.reload !== undefined ? unit.reload() : unit.server.restart());
    if (verb === 'restart') return done(unit.server.restart());
    if (verb === 'is-active') return unit.server.running ? 'active\n' : 'inactive\n';
    if (verb === 'kill') return done(unit.server.kill(`SIG${rest[1]}` as NodeJS.Signals));
    if (verb === 'reload' && unit.reload !== undefined && unit.server.running) return done(unit.reload());
    throw new Error(`${name} cannot ${verb}`);
  }
}

async function done(work: Promise<unknown>): Promise<string> {
  await work;
  return '';
}

/** Sends standard input to a socket, prints the answer, and fails if that is not 200. */
function ask(socket: string): string {
  return `curl -s --fail-with-body --max-time 90 --unix-socket "${socket}" --data-binary @-`;
}

function writeProgram(file: string, script: string): void {
  writeFileSync(file, `#!/bin/bash\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Starts what runs the machine's commands of switchmaster, except the daemon. Without it each command is a process. */
export async function startCommandServer(sandbox: Sandbox, machine: Machine): Promise<void> {
  const socket = sandbox.path(`${machine.name}.sock`);
  const script = `${projectDir}/test/docs/guides/command-server.ts`;
  const argv = [process.execPath, script, socket];
  await machine.program({ name: 'commands', argv, ready: async () => existsSync(socket) }).start();
}

/** The services that Debian's packages and `deploy/` bring, not yet started. */
export function installServices(machine: Machine, units: Units): void {
  units.add(machine, 'haproxy', haproxyUnit(machine));
  units.add(machine, 'nutcracker', {
    server: machine.program({
      name: 'nutcracker',
      argv: ['nutcracker', '-c', '/etc/nutcracker/nutcracker.yml', '-a', '127.0.0.1'],
      ready: async () => machine.listens(22222),
    }),
  });
  units.add(machine, 'switchmaster', switchmasterUnit(machine));
}

function haproxyUnit(machine: Machine): Unit {
  const socket = '/run/haproxy-master.sock';
  const readDone = async () => (await readReloads(machine.path(socket))).done;
  // As in Debian's unit.
  const start = `. /etc/default/haproxy; exec haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid \${EXTRAOPTS:--S ${socket}}`;
  const server = machine.program({
    name: 'haproxy',
    argv: ['sh', '-c', start],
    ready: async () => (await readDone()) >= 0,
  });
  const reload = async () => {
    const before = await readDone();
    await server.kill('SIGUSR2');
    await waitFor('HAProxy to reload', readDone, { until: (count) => count > before });
  };
  return { server, reload };
}

/** As in deploy/systemd. */
function switchmasterUnit(machine: Machine): Unit {
  const server = machine.program({
    name: 'switchmaster',
    argv: ['switchmaster', 'run', '--config', '/etc/switchmaster'],
    // As with systemd, it runs, and need not have observed everything yet.
    ready: async () => machine.listens(8680),
  });
  const reload = async () => {
    const { code, output } = await machine.run('switchmaster check --config-only --config /etc/switchmaster');
    const reloads = () => server.log().split('"msg":"config reloaded"').length;
    const before = reloads();
    await server.kill('SIGHUP');
    if (code !== 0) throw new Error(output);
    // Until then, the next command of the guide sees the former config.
    await waitFor('switchmaster to reload', reloads, { until: (count) => count > before });
  };
  return { server, reload };
}
