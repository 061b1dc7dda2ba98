import { setTimeout as delay } from 'node:timers/promises';
import { PromptConnection } from '../../client/prompt-connection.ts';
import { SocketExchangeError } from '../../client/socket-exchange.ts';
import type { Endpoint } from '../../model/address.ts';
import type { CommandLine } from './runtime-api.ts';

const timeoutMs = 2_000;
const pollMs = 20;
/** How long a new worker may take to start after the reload command has ended. `systemctl reload` does not wait for it. */
const replacementLimitMs = 5_000;

/**
 * The worker that a reload is about to replace. After the reload, the socket's path belongs to the new worker. Only a
 * connection that was opened before still reaches the old one, with its sessions.
 */
export class OutgoingWorker implements CommandLine {
  readonly #connection: PromptConnection;

  private constructor(connection: PromptConnection) {
    this.#connection = connection;
  }

  /** Undefined when no worker answers. */
  static async open(socket: Endpoint, signal: AbortSignal): Promise<OutgoingWorker | undefined> {
    try {
      const connection = await PromptConnection.open(socket, { timeoutMs, signal });
      // Without this, HAProxy ends the connection when the reload takes longer than its `stats timeout`, 10 s by default.
      await connection.send('set timeout cli 60', signal);
      return new OutgoingWorker(connection);
    } catch (thrown) {
      if (thrown instanceof SocketExchangeError) return undefined;
      throw thrown;
    }
  }

  async send(commands: readonly string[], signal: AbortSignal): Promise<string> {
    const answers: string[] = [];
    for (const command of commands) answers.push(await this.#connection.send(command, signal));
    return answers.join('\n');
  }

  /** Waits until the worker takes no new sessions. Throws SocketExchangeError when it has ended. */
  async untilReplaced(signal: AbortSignal): Promise<'replaced' | 'in-service'> {
    const endMs = performance.now() + replacementLimitMs;
    while (performance.now() < endMs) {
      const info = await this.#connection.send('show info', signal);
      if (/^Stopping: 1$/m.test(info)) return 'replaced';
      await delay(pollMs, undefined, { signal });
    }
    return 'in-service';
  }

  close(): void {
    this.#connection.close();
  }
}
