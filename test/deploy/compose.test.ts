import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../lib/config/load.ts';
import { formatAddress } from '../../lib/model/address.ts';

type Service = {
  image: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  volumes?: string[];
  depends_on?: string[] | Record<string, unknown>;
  pid?: string;
  networks: { redis: { ipv4_address: string } };
};
type Compose = { services: Record<string, Service>; volumes: Record<string, unknown> };

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
const dockerDir = join(projectDir, 'deploy/docker');
const read = (path: string) => readFileSync(join(projectDir, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const addressOf = (name: string) => compose.services[name]?.networks.redis.ipv4_address ?? '';

t.test('the compose file starts all parts of the quickstart, each with an address of its own', async (t) => {
  const names =
    'consul shard1-a shard1-b shard2-a shard2-b sentinel-1 sentinel-2 sentinel-3 switchmaster haproxy twemproxy';
  t.strictSame(services.map(([name]) => name).sort(), names.split(' ').sort());
  t.equal(new Set(services.map(([name]) => addressOf(name))).size, services.length);
});

t.test('every file and volume that a service names is there', async (t) => {
  for (const [name, service] of services) {
    for (const source of (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '')) {
      const found = source.startsWith('.') ? existsSync(join(projectDir, source)) : source in compose.volumes;
      t.ok(found, `${name}: ${source}`);
    }
    if (service.build !== undefined)
      t.ok(existsSync(join(projectDir, service.build.dockerfile)), `${name}: Dockerfile`);
    const [program = ''] = service.command ?? [];
    if (program.endsWith('.sh')) t.ok(existsSync(join(dockerDir, program)), `${name}: ${program}`);
  }
});

t.test('every service that a service names is there', async (t) => {
  for (const [name, { depends_on: dependsOn = [], pid }] of services) {
    const others = Array.isArray(dependsOn) ? dependsOn : Object.keys(dependsOn);
    for (const other of [...others, ...(pid === undefined ? [] : [pid.replace('service:', '')])]) {
      t.ok(other in compose.services, `${name}: ${other}`);
    }
  }
});

t.test('what the Dockerfile copies is there', async (t) => {
  const copied = [...read('deploy/docker/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, sources = '']) => sources.split(' '),
  );
  t.ok(copied.length > 5);
  for (const source of copied.filter((name) => !name.includes('*'))) t.ok(existsSync(join(projectDir, source)), source);
});

t.test(
  'the daemon of the compose file gets a good config, with the addresses of its Sentinels and Consul',
  async (t) => {
    const config = await loadConfig({ paths: [join(dockerDir, 'switchmaster.yml')], environment: {} });
    t.strictSame(
      config.sentinel?.addresses.map(formatAddress),
      ['sentinel-1', 'sentinel-2', 'sentinel-3'].map((name) => `${addressOf(name)}:26379`),
    );
    t.match(read('deploy/docker/switchmaster.yml'), `http://${addressOf('consul')}:8500`);
    t.equal(config.templates.length, 2);
    const commands = config.templates.map(({ reload }) =>
      reload?.kind === 'command' ? reload.command.argv[0] : undefined,
    );
    for (const command of commands) t.ok(existsSync(join(dockerDir, command ?? 'none')));
  },
);

t.test('the Sentinels monitor the masters of the compose file', async (t) => {
  const monitored = [...read('deploy/docker/sentinel.conf').matchAll(/^sentinel monitor (\S+) (\S+) /gm)];
  t.strictSame(
    monitored.map(([, name, address]) => [name, address]),
    [
      ['shard1', addressOf('shard1-a')],
      ['shard2', addressOf('shard2-a')],
    ],
  );
});

t.test('the scripts of the image are good shell', async (t) => {
  for (const name of readdirSync(dockerDir).filter((name) => name.endsWith('.sh'))) {
    await t.resolves(promisify(execFile)('sh', ['-n', join(dockerDir, name)], { timeout: 10_000 }), name);
  }
});
