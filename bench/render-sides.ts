import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { waitFor, within } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Daemon, DaemonOptions } from '../test/sandbox/daemon.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { BareRenderJob } from './bare-render.ts';
import { launchConsulTemplate } from './consul-template.ts';

/** Services on one external node. */
const servicesPerNode = 100;
/** Consul takes 64 operations in one transaction up to 1.13. */
const operationsAtOnce = 63;
/** Connections beyond one for each watched service. */
const connectionsAbove = 1_000;

/** One program with a Consul of its own, so that the two do not compete while they are measured. */
export interface Side {
  readonly consul: ConsulAgent;
  /** What the program keeps. */
  readonly destination: string;
  /** What its reload touches. */
  readonly marker: string;
}

export interface Place {
  readonly size: number;
  readonly name: string;
}

export async function prepareSide(sandbox: Sandbox, { size, name }: Place): Promise<Side> {
  const config = { log_level: 'warn', limits: { http_max_conns_per_client: size + connectionsAbove } };
  const consul = await sandbox.consul({ name: `consul-${name}`, config });
  const destination = sandbox.path(`${name}.conf`);
  const side = { consul, destination, marker: sandbox.write(`${name}.reloaded`, '') };
  const nodes = Array.from({ length: Math.ceil(size / servicesPerNode) }, (_, n) => ({
    Node: {
      Verb: 'set',
      Node: { Node: `external-${n}`, Address: '10.0.0.1', Meta: { 'external-node': 'true' } },
    },
  }));
  const services = Array.from({ length: size }, (_, n) => setService(n, 1));
  for (const all of [nodes, services]) {
    for (let i = 0; i < all.length; i += operationsAtOnce) {
      await consul.put('/v1/txn', all.slice(i, i + operationsAtOnce));
    }
  }
  return side;
}

/** `switchmaster run`. It renders without a debounce, and watches every service over a connection of its own. */
export async function startSwitchmaster(
  sandbox: Sandbox,
  side: Side,
  { size, name, ...given }: Place & Pick<DaemonOptions, 'nodeArguments' | 'program'>,
): Promise<Daemon> {
  const text =
    '{{#each services as |s|}}{{#each (service s.name) as |i|}}{{i.name}} {{i.address}}:{{i.port}}\n{{/each}}{{/each}}';
  const daemon = await sandbox.switchmaster({
    ...given,
    name,
    start: 'later',
    config: {
      consul: { address: side.consul.url, connections: size + 100 },
      templates: [
        {
          source: sandbox.write(`${name}.conf.hbs`, text),
          destination: side.destination,
          header: false,
          reload: ['touch', side.marker],
          wait: { min: 0, max: 0 },
        },
      ],
    },
  });
  void daemon.launch();
  return daemon;
}

/** consul-template with its defaults, in which `wait` is off: it renders at once. */
export function startConsulTemplate(sandbox: Sandbox, side: Side, given: { name: string; program: string }): void {
  const text = '{{range services}}{{range service .Name}}{{.Name}} {{.Address}}:{{.Port}}\n{{end}}{{end}}';
  launchConsulTemplate(sandbox, { ...given, ...side, text });
}

/** What the change of a service takes in any case: see bench/bare-render.ts. It ends with this process, or by `kill`. */
export async function startBare({ consul, destination, marker }: Side, { size }: Pick<Place, 'size'>) {
  const lines = Object.fromEntries(Array.from({ length: size }, (_, n) => [nameOf(n), lineOf(n, 1)]));
  const job: BareRenderJob = { consul: consul.url, destination, marker, lines };
  const program = fork(fileURLToPath(new URL('bare-render.ts', import.meta.url)));
  const ready = once(program, 'message');
  // Not as an argument: 10,000 lines are longer than an argument may be.
  program.send(job);
  await ready;
  return program;
}

/** The same as {@link timeChange}, for the program of {@link startBare}. */
export async function timeBareChange(
  program: ChildProcess,
  side: Side,
  change: { service: number; port: number },
): Promise<number> {
  program.send(nameOf(change.service));
  await once(program, 'message');
  return timeChange(side, change);
}

/** Waits until the side has rendered every service and reloads no more. */
export async function untilSettled(side: Side, { size }: Place): Promise<void> {
  const last = lineOf(size - 1, 1);
  const lines = () => readFileSync(side.destination, 'utf8').split('\n');
  await waitFor(`${side.destination} to be whole`, lines, {
    // One more for Consul's own service, one for the end.
    until: (all) => all.length === size + 2 && all.includes(last),
    timeoutMs: 300_000,
    intervalMs: 250,
  });
  while ((await within(nextReload(side).promise, 2_000)) !== undefined);
}

/** Moves one service to another port. Returns the milliseconds from before the request until its reload. */
export async function timeChange(side: Side, change: { service: number; port: number }): Promise<number> {
  const startMs = performance.now();
  const wanted = `${lineOf(change.service, change.port)}\n`;
  const reload = nextReload(side, () => readFileSync(side.destination, 'utf8').includes(wanted));
  await side.consul.put('/v1/txn', [setService(change.service, change.port)]);
  const endMs = await within(reload.promise, 60_000);
  reload.stop();
  if (endMs === undefined) throw new Error(`${side.destination} did not follow within a minute`);
  return endMs - startMs;
}

/** When the marker is touched next while `counts` holds. */
function nextReload(side: Side, counts: () => boolean = () => true) {
  const { promise, resolve } = Promise.withResolvers<number>();
  const watcher = watch(side.marker, () => {
    const nowMs = performance.now();
    if (!counts()) return;
    watcher.close();
    resolve(nowMs);
  });
  return { promise, stop: () => watcher.close() };
}

function nameOf(service: number): string {
  return `s${String(service).padStart(5, '0')}`;
}

function lineOf(service: number, port: number): string {
  return `${nameOf(service)} 10.0.0.1:${port}`;
}

function setService(service: number, port: number) {
  const node = `external-${Math.floor(service / servicesPerNode)}`;
  const [id, name] = [nameOf(service), nameOf(service)];
  return { Service: { Verb: 'set', Node: node, Service: { ID: id, Service: name, Address: '10.0.0.1', Port: port } } };
}
