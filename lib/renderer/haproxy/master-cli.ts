import type { Endpoint } from '../../model/address.ts';
import { type CommandLine, sendLine } from './runtime-api.ts';

/**
 * HAProxy's master CLI (`haproxy -W -S`; management guide, 9.4), as in 2.6 and 3.x. It passes commands on to workers, also
 * to old ones: a reload takes the listeners from a worker, which then runs until its last session has ended.
 */
export class HaproxyMaster {
  readonly #socket: Endpoint;

  constructor(socket: Endpoint) {
    this.#socket = socket;
  }

  /** The workers that a reload has replaced and that still run. Throws `reload-failed`. */
  async oldWorkers(signal: AbortSignal): Promise<readonly CommandLine[]> {
    const text = await this.#send(['show proc'], signal);
    return parseOldWorkers(text).map((pid) => ({
      send: (commands, signal) =>
        this.#send(
          commands.map((command) => `@!${pid} ${command}`),
          signal,
        ),
    }));
  }

  /** Without `quit`, the master keeps the connection open. */
  #send(commands: readonly string[], signal: AbortSignal): Promise<string> {
    return sendLine(this.#socket, { commands: [...commands, 'quit'], signal });
  }
}

/** The process ids below `# old workers`. */
function parseOldWorkers(text: string): readonly number[] {
  const section = /^# old workers\n((?:\d.*\n)*)/m.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^(\d+)\s+worker\b/gm)].map(([, pid]) => Number(pid));
}
