import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from './file.ts';
import { firstProcess, killAll } from './first-process.ts';
import { type ImageRoot, idsOf, ownerOf } from './local-images.ts';
import { type ContainerPlan, startScript } from './start-script.ts';

/** `starting` until its health check has succeeded, or failed `retries` times. */
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

type State =
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly kill: () => void; readonly ended: Promise<void> }
  | { readonly kind: 'exited' };

export interface Place {
  readonly folder: string;
  /** The folder of the named volumes. */
  readonly volumesDir: string;
  readonly namespace: string;
  readonly image: ImageRoot;
}

// Docker's: it starts a container again after 100 ms, then after twice the time, and from the start after a run of 10 s.
const firstPauseMs = 100;
const goodRunMs = 10_000;

/** One service, with its own mounts, process ids, user, capabilities and limits, in the network of its host. */
export class Container {
  readonly service: Service;
  readonly #plan: ContainerPlan;
  readonly #log: string;
  #state: State = { kind: 'created' };
  #wanted: 'running' | 'stopped' = 'stopped';
  #health: Health = 'starting';
  #starts = 0;
  readonly #exits: string[] = [];

  private constructor(service: Service, plan: ContainerPlan) {
    this.service = service;
    this.#plan = plan;
    this.#log = join(plan.folder, 'log');
  }

  static async create(service: Service, { folder, volumesDir, namespace, image }: Place): Promise<Container> {
    await mkdir(join(folder, 'volumes'), { recursive: true });
    for (const name of ['root', 'upper', 'work']) await mkdir(join(folder, name), { recursive: true });
    const mounts = service.mounts.map(({ source, target, access }) => {
      if (source?.startsWith('.')) return { source: join(import.meta.dirname, '../..', source), target, access };
      const volume =
        source === undefined ? join(folder, 'volumes', target.replaceAll('/', '-')) : join(volumesDir, source);
      return { source: volume, target, access, isVolume: true };
    });
    for (const { source, target } of mounts.filter((mount) => 'isVolume' in mount)) {
      const made = await mkdir(source, { recursive: true });
      if (made !== undefined) await chown(source, ...(ownerOf(image, target) as [number, number]));
    }
    const ids = await idsOf(image, service.user ?? image.user);
    return new Container(service, { service, folder, namespace, image, mounts, ids });
  }

  get running(): boolean {
    return this.#state.kind === 'running';
  }

  get health(): Health {
    if (!this.running) return 'starting';
    return this.service.health === undefined ? 'none' : this.#health;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** The exit code or the signal of each run that ended. */
  get exits(): readonly string[] {
    return this.#exits;
  }

  /** Whether `docker compose up --wait` waits no longer for it. */
  get ready(): boolean {
    return this.running && (this.health === 'none' || this.health === 'healthy');
  }

  async start(): Promise<void> {
    this.#wanted = 'running';
    await this.#launch(0);
  }

  /** As `docker compose kill`: it stays down, whatever its restart policy says. */
  async kill(): Promise<void> {
    this.#wanted = 'stopped';
    await this.crash();
  }

  /** Its first process dies, and so all others. Resolves when none is left. */
  async crash(): Promise<void> {
    if (this.#state.kind !== 'running') return;
    const { kill, ended } = this.#state;
    kill();
    await ended;
  }

  /** As `docker compose stop`: SIGTERM, and SIGKILL after `stop_grace_period`. Resolves with how long it took. */
  async stop(): Promise<number> {
    this.#wanted = 'stopped';
    if (this.#state.kind !== 'running') return 0;
    const { ended } = this.#state;
    const startedAt = performance.now();
    process.kill(this.#firstProcess(), 'SIGTERM');
    await Promise.race([ended, delay(this.service.stopGraceMs, undefined, { ref: false })]);
    await this.crash();
    return performance.now() - startedAt;
  }

  /** Runs a program in the container, as its user. Resolves with its exit code, or `timeout`. */
  async exec(argv: readonly string[], timeoutMs: number): Promise<number | 'timeout'> {
    const target = ['nsenter', `--target=${this.#firstProcess()}`, '--mount', '--pid', '--net', '--uts', '--ipc'];
    const [file = '', ...args] = [...target, join(this.#plan.folder, 'enter'), ...argv];
    return new Promise((resolve) => {
      execFile(file, args, { timeout: timeoutMs, killSignal: 'SIGKILL' }, (error) => {
        if (error === null) resolve(0);
        else resolve(error.killed === true ? 'timeout' : Number(error.code ?? 1));
      });
    });
  }

  /** What it has printed. */
  log(): string {
    try {
      return readFileSync(this.#log, 'utf8');
    } catch {
      return '';
    }
  }

  async #launch(failures: number): Promise<void> {
    const { namespace, folder } = this.#plan;
    const { start, enter } = startScript(this.#plan);
    await writeFile(join(folder, 'start'), start, { mode: 0o755 });
    await writeFile(join(folder, 'enter'), enter, { mode: 0o755 });
    const isolated = ['unshare', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'];
    const argv = ['netns', 'exec', namespace, ...isolated, 'sh', join(folder, 'start')];
    const log = openSync(this.#log, 'a');
    const child = spawn('ip', argv, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#starts += 1;
    this.#health = 'starting';
    const startedAt = performance.now();
    const stop = new AbortController();
    const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(`${signal ?? code}`)));
    let killed = Promise.resolve();
    const kill = () => {
      killed = killAll(child);
    };
    const ended = exited.then(async (how) => {
      stop.abort();
      this.#exits.push(how);
      this.#state = { kind: 'exited' };
      await killed;
      this.#launchLater(performance.now() - startedAt > goodRunMs ? 0 : failures + 1);
    });
    this.#state = { kind: 'running', child, kill, ended };
    void this.#watchHealth(stop.signal);
  }

  #launchLater(failures: number): void {
    if (this.#wanted === 'stopped' || this.service.restart === 'no') return;
    setTimeout(
      () => {
        if (this.#wanted === 'running') void this.#launch(failures);
      },
      firstPauseMs * 2 ** failures,
    );
  }

  async #watchHealth(signal: AbortSignal): Promise<void> {
    const { health } = this.service;
    if (health === undefined) return;
    let failures = 0;
    for (;;) {
      await delay(health.intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const code = await this.exec(health.test, health.timeoutMs).catch(() => 1);
      if (signal.aborted) return;
      failures = code === 0 ? 0 : failures + 1;
      if (failures === 0) this.#health = 'healthy';
      else if (failures >= health.retries) this.#health = 'unhealthy';
    }
  }

  /** The process id, on this machine, of the container's process 1. */
  #firstProcess(): number {
    if (this.#state.kind !== 'running') throw new Error(`${this.service.name} does not run`);
    const first = firstProcess(this.#state.child);
    if (first === undefined) throw new Error(`${this.service.name} has no process yet`);
    return first;
  }
}
