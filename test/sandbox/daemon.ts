import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { programFile } from '../runner/environment.ts';
import { buildProgram } from '../runner/program.ts';
import type { Ground } from './ground.ts';
import { Server, type ServerSpec } from './server.ts';

export type DaemonOptions = {
  /** Default `switchmaster`. */
  name?: string;
  /** Written to `<name>.yml` as JSON, which is YAML. `api.listen` is added if it is missing. */
  config: Record<string, unknown>;
  /** What `start` waits for: the path answers 200. Default `/ready`. */
  ready?: '/ready' | '/live';
  /** Default `now`. */
  start?: 'now' | 'later';
  env?: Record<string, string>;
  /** A command that executes the arguments that follow it, such as `nice`. Default: none. */
  launcher?: readonly string[];
  /** A folder with the switchmaster to run, with its own `node_modules`. Default: this checkout. */
  checkout?: string;
  /** The file that Node.js runs. Default: the bundle of the checkout; without one and without the runner, the source. */
  program?: string;
  /** Arguments of Node.js before the file. Default: none. */
  nodeArguments?: readonly string[];
};

/** `switchmaster run`, as its users run it. */
export class Daemon extends Server {
  /** Where its API listens. */
  readonly api: Address;
  readonly configFile: string;

  constructor(
    spec: ServerSpec,
    { api, configFile, readyPath }: { api: Address; configFile: string; readyPath: string },
  ) {
    super({ ...spec, ready: () => this.#isReady(readyPath) });
    this.api = api;
    this.configFile = configFile;
  }

  /** Rejects with what is missing, so that a start that fails names it. */
  async #isReady(path: string): Promise<true> {
    const { status, body } = await this.get(path);
    if (status === 200) return true;
    throw new Error(`${status} ${JSON.stringify(body)}`);
  }

  /** GET of its API. `body` is the parsed JSON, or the text if it is not JSON. */
  get(path: string): Promise<DaemonAnswer> {
    return readApi(this.api, path);
  }

  /** Writes another config, which takes effect after a SIGHUP or a restart. */
  writeConfig(config: Record<string, unknown>): void {
    writeConfigFile(this.configFile, { config, api: this.api });
  }

  /** Its log so far, one object a line, without lines that are not JSON. */
  logLines(): Record<string, unknown>[] {
    return parseLines(this.log());
  }
}

export interface DaemonAnswer {
  readonly status: number;
  /** The parsed JSON, or the text if it is not JSON. */
  readonly body: unknown;
}

/** The daemon, started and ready, or not started with `start: 'later'`. */
export async function switchmaster(ground: Ground, options: DaemonOptions): Promise<Daemon> {
  const { name = 'switchmaster', config, ready = '/ready', checkout, nodeArguments = [] } = options;
  const { api, configFile } = await placeDaemon(ground, { name, config });
  const { program = checkout === undefined ? programFile() : await buildProgram(resolve(checkout)) } = options;
  const [first = process.execPath, ...rest] = [...(options.launcher ?? []), process.execPath];
  const argv = [first, ...rest, ...nodeArguments, program, 'run', '--config', configFile] as const;
  const base = ground.server(name, argv);
  // On a busy machine Node alone takes more than twenty seconds to read the program.
  const spec = { ...base, readyTimeoutMs: 90_000, env: { ...base.env, ...options.env } };
  const daemon = new Daemon(spec, { api, configFile, readyPath: ready });
  if (options.start !== 'later') await daemon.start();
  return daemon;
}

/** Writes the config of a daemon, and answers the file and the address of its API. */
export async function placeDaemon(
  ground: Ground,
  { name, config }: { readonly name: string; readonly config: Record<string, unknown> },
): Promise<{ readonly api: Address; readonly configFile: string }> {
  const api = listenOf(config) ?? (await ground.addresses.next());
  const configFile = join(ground.folder, `${name}.yml`);
  writeConfigFile(configFile, { config, api });
  return { api, configFile };
}

export function writeConfigFile(
  file: string,
  { config, api }: { readonly config: Record<string, unknown>; readonly api: Address },
): void {
  writeFileSync(file, JSON.stringify(withListen(config, api), undefined, 2));
}

/** GET of a daemon's API. */
export async function readApi(api: Address, path: string): Promise<DaemonAnswer> {
  const response = await fetch(`http://${formatAddress(api)}${path}`, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  return { status: response.status, body: parsed(text) };
}

/** The lines of a log that are JSON objects. */
export function parseLines(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .map(parsed)
    .filter((line): line is Record<string, unknown> => typeof line === 'object' && line !== null);
}

function withListen(config: Record<string, unknown>, api: Address): Record<string, unknown> {
  if (config.api === false) return config;
  const section = typeof config.api === 'object' ? config.api : {};
  return { ...config, api: { listen: formatAddress(api), ...section } };
}

function listenOf(config: Record<string, unknown>): Address | undefined {
  const listen = (config.api as { listen?: unknown } | undefined)?.listen;
  if (typeof listen !== 'string') return undefined;
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon), port: Number(listen.slice(colon + 1)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
