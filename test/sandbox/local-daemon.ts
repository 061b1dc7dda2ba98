import type { Daemon as Composed } from '../../lib/daemon/daemon.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import { type DaemonAnswer, parseLines, readApi, writeConfigFile } from './daemon.ts';

export interface LocalDaemonOptions {
  /** Default `switchmaster`. */
  readonly name?: string;
  /** As that of a `Daemon`. */
  readonly config: Record<string, unknown>;
  /** What the start waits for: the path answers 200, or the parts have started. Default `/ready`. */
  readonly ready?: '/ready' | '/live' | 'started';
}

const readyTimeoutMs = 45_000;

/**
 * What `switchmaster run` composes, in this process: to start the program takes two seconds of CPU time, nearly all of it
 * to load modules. It gets no signals, follows no rotated files, and ends with `stop`, not with a kill. Two of them sign
 * records with the same name.
 */
export class LocalDaemon {
  readonly name: string;
  /** Where its API listens. */
  readonly api: Address;
  readonly configFile: string;
  readonly #lines: string[] = [];
  #daemon: Composed | undefined;

  constructor(name: string, { api, configFile }: { readonly api: Address; readonly configFile: string }) {
    this.name = name;
    this.api = api;
    this.configFile = configFile;
  }

  async start(ready: LocalDaemonOptions['ready'] = '/ready'): Promise<void> {
    // Loaded here: most sandboxes need none of it.
    const [{ Daemon }, { makeLog }] = await Promise.all([
      import('../../lib/daemon/daemon.ts'),
      import('../../lib/telemetry/log.ts'),
    ]);
    const config = await this.#load();
    const stream = { write: (line: string) => void this.#lines.push(line) };
    const daemon = new Daemon({ config, log: makeLog({ ...config.log, format: 'json', stream }), version: '0' });
    this.#daemon = daemon;
    await daemon.start();
    if (ready === 'started') return;
    const isReady = async () => (await this.get(ready)).status === 200;
    await waitFor(`${this.name} to be ready`, isReady, { timeoutMs: readyTimeoutMs });
  }

  /** GET of its API, as of `Daemon`. */
  get(path: string): Promise<DaemonAnswer> {
    return readApi(this.api, path);
  }

  /** Writes another config and has the daemon take it, as after a SIGHUP. */
  async reload(config: Record<string, unknown>): Promise<void> {
    writeConfigFile(this.configFile, { config, api: this.api });
    await this.#daemon?.reload(await this.#load());
  }

  /** Writes its state to the log, as after a SIGUSR1. */
  logState(): void {
    this.#daemon?.logState();
  }

  /** Stops it. Stopping twice does nothing. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    await daemon?.stop();
  }

  log(): string {
    return this.#lines.join('');
  }

  logLines(): Record<string, unknown>[] {
    return parseLines(this.log());
  }

  logTail({ lines = 30 }: { lines?: number } = {}): string {
    return `--- ${this.name} (last ${lines} lines)\n${this.#lines.slice(-lines).join('')}`;
  }

  async #load() {
    const { loadConfig } = await import('../../lib/config/load.ts');
    return loadConfig({ paths: [this.configFile], environment: {} });
  }
}
