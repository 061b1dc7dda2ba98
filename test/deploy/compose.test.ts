import { execFile } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import { copiedSources, readDockerfile } from '../compose/dockerfile.ts';
import { projectDir, readComposeFile, type Service } from '../compose/file.ts';

const dockerDir = join(projectDir, 'deploy/docker');
const dockerfile = join(dockerDir, 'Dockerfile');
const file = readComposeFile();
const services = [...file.services.values()];
const addressOf = (name: string) => {
  const net = file.services.get(name)?.net;
  return net?.kind === 'own' ? net.address : undefined;
};
const read = (path: string) => readFileSync(join(dockerDir, path), 'utf8');

t.test('the compose file has every part of the setup', async (t) => {
  const names = services.map(({ name }) => name);
  const parts: readonly (readonly [pattern: RegExp, count: number])[] = [
    [/^consul-\d$/, 3],
    [/^agent-/, 9],
    [/^shard[12]-[ab]$/, 4],
    [/^sentinel-\d$/, 3],
    [/^switchmaster-/, 8],
    [/^twemproxy-\d$/, 2],
    [/^haproxy-\d$/, 2],
    [/^keepalived-\d$/, 2],
    [/^app$/, 1],
    [/^node-\d[ab]$/, 6],
  ];
  for (const [pattern, count] of parts) {
    t.equal(names.filter((name) => pattern.test(name)).length, count, String(pattern));
  }
});

t.test('each host has a network of its own with a fixed address, and an agent in it', async (t) => {
  const hosts = services.filter(({ net }) => net.kind === 'own');
  t.equal(new Set(hosts.map(({ name }) => addressOf(name))).size, hosts.length);
  for (const host of hosts.filter(({ name }) => !name.startsWith('consul-'))) {
    const agents = services.filter(({ name, net }) => name.startsWith('agent-') && sharesNet({ net }, host));
    t.equal(agents.length, 1, host.name);
    t.strictSame(agents[0]?.command.slice(-4), ['-node', host.name, '-bind', addressOf(host.name)]);
    // A service of a profile is not started without it, and then a host has no network.
    for (const service of services.filter((one) => sharesNet(one, host))) t.equal(service.profile, host.profile);
  }
});

function sharesNet({ net }: Pick<Service, 'net'>, host: Service): boolean {
  return net.kind === 'shared' && net.service === host.name;
}

t.test('one service builds the image, and the others that run it never pull it', async (t) => {
  const built = services.filter(({ build }) => build !== undefined);
  t.equal(built.length, 1);
  const image = built[0]?.image;
  for (const service of services.filter((one) => one.image === image && one.build === undefined)) {
    t.equal(service.pullPolicy, 'never', service.name);
  }
  for (const service of services.filter((one) => one.image !== image)) {
    t.match(service.image, /:\d+\.\d+$/, `${service.name} names a version`);
  }
});

t.test(
  'no service runs as root, writes to its image, or is without limits and without a way to see whether it works',
  async (t) => {
    for (const service of services) {
      const { name, user, health, limits, net } = service;
      const isHost = net.kind === 'own' && !name.startsWith('consul-');
      t.not(user ?? userOfImage(service), 'root', name);
      t.ok(service.readOnly, name);
      t.strictSame(service.capabilities.dropped, ['ALL'], name);
      t.ok(limits.memoryBytes > 0 && limits.pids > 0 && limits.cpus > 0, name);
      t.equal(service.restart, 'unless-stopped', name);
      if (!isHost) t.ok(health, `${name} has a health check, so that --wait waits for it`);
      if (!name.startsWith('keepalived-')) t.strictSame(service.securityOptions, ['no-new-privileges:true'], name);
    }
  },
);

function userOfImage({ image }: Service): string {
  if (image !== 'switchmaster') return 'root';
  const last = readDockerfile(dockerfile).at(-1);
  return last?.instructions.findLast(({ word }) => word === 'USER')?.rest ?? 'root';
}

t.test('every file, volume and service that a service names is there', async (t) => {
  const named = services.flatMap(({ mounts }) => mounts.map(({ source }) => source));
  for (const source of named) {
    if (source === undefined) continue;
    const found = source.startsWith('.') ? existsSync(join(projectDir, source)) : file.volumes.includes(source);
    t.ok(found, source);
  }
  for (const volume of file.volumes) t.ok(named.includes(volume), `somebody uses ${volume}`);
  for (const { name, dependsOn, profile, command } of services) {
    for (const [other, condition] of Object.entries(dependsOn)) {
      const service = file.services.get(other);
      t.ok(service, `${name} depends on ${other}`);
      if (condition === 'service_healthy') t.ok(service?.health, `${other} has a health check`);
      if (service?.profile !== undefined) t.equal(profile, service.profile, `${name} depends on ${other}`);
    }
    const [program = ''] = command;
    if (program.endsWith('.sh')) t.ok(existsSync(join(dockerDir, program)), `${name}: ${program}`);
  }
});

t.test('what the Dockerfile copies is there', async (t) => {
  const sources = copiedSources(readDockerfile(dockerfile));
  t.ok(sources.length > 5);
  for (const source of sources) t.not(globSync(source, { cwd: projectDir }).length, 0, source);
});

t.test('each daemon gets a good config, with the addresses of the compose file', async (t) => {
  const daemons = services.filter(({ command }) => command[0] === 'switchmaster');
  t.equal(daemons.length, 8);
  for (const { name, command } of daemons) {
    const paths = command.filter((_, i) => command[i - 1] === '--config');
    const local = paths.map((path) => path.replace('/etc/switchmaster', join(dockerDir, 'switchmaster')));
    const config = await loadConfig({ paths: local, environment: {} });
    const hosts = [...(config.sentinel?.addresses ?? []), ...config.cluster.flatMap(({ seeds }) => seeds ?? [])];
    for (const { host } of hosts)
      t.ok(
        services.some((one) => addressOf(one.name) === host),
        `${name}: ${host}`,
      );
    t.equal(config.templates.length, name.startsWith('switchmaster-lb') ? 3 : 0, name);
  }
});

t.test('a load balancer gives keepalived its own address and that of the other one', async (t) => {
  for (const name of ['lb-1', 'lb-2']) {
    const config = await loadConfig({ paths: [join(dockerDir, `switchmaster/${name}.yml`)], environment: {} });
    const [vars] = config.templates.map((template) => template.vars);
    t.match(vars, { own: addressOf(name), peers: [addressOf('lb-1'), addressOf('lb-2')] });
  }
});

t.test('the Sentinels monitor the masters of the compose file, and the replicas follow them', async (t) => {
  const monitored = [...read('redis/sentinel.conf').matchAll(/^sentinel monitor (\S+) (\S+) (\d+) 2$/gm)];
  t.equal(monitored.length, 2);
  for (const [, name = '', host, port] of monitored) {
    const master = file.services.get(`${name}-a`);
    t.equal(master?.net.kind === 'shared' && addressOf(master.net.service), host, name);
    t.ok(master?.command.includes(`port ${port}`), name);
    t.ok(file.services.get(`${name}-b`)?.command.includes(`replicaof ${host} ${port}`), name);
  }
});

t.test('the agents and the servers join the servers', async (t) => {
  const servers = ['consul-1', 'consul-2', 'consul-3'].map((name) => `"${addressOf(name)}"`).join(', ');
  for (const name of ['server', 'agent']) t.match(read(`consul/${name}.hcl`), `[${servers}]`);
});

t.test('the scripts of the image are good shell', async (t) => {
  for (const name of readdirSync(dockerDir).filter((name) => name.endsWith('.sh'))) {
    await t.resolves(promisify(execFile)('sh', ['-n', join(dockerDir, name)], { timeout: 10_000 }), name);
  }
});
