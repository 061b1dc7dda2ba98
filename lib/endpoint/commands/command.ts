import type { Access } from '../access.ts';
import type { Client } from '../client.ts';
import type { EndpointFacts } from '../plan/information.ts';
import type { Reply } from '../resp/reply.ts';
import type { SentinelContext } from './sentinel.ts';

/** What commands answer from. */
export interface CommandContext extends SentinelContext {
  readonly access: Access;
  readonly facts: () => EndpointFacts;
}

/** One command. `arity` counts the name, and is negative for a minimum, as in Redis' COMMAND. */
export interface Command {
  readonly arity: number;
  /** Whether it may be sent before AUTH. */
  readonly isOpen?: true;
  /** Whether a RESP2 connection may send it while it is subscribed. */
  readonly whileSubscribed?: true;
  run(input: CommandInput): Reply | Promise<Reply>;
}

export interface CommandInput {
  readonly context: CommandContext;
  readonly client: Client;
  /** Without the name of the command. */
  readonly args: readonly string[];
}
