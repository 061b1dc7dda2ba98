import type { Client } from '../client.ts';
import { encodeReply, Push, type Reply } from '../resp/reply.ts';
import type { Command, CommandInput } from './command.ts';

/** How many channels and patterns one connection may follow. */
const maxSubscriptions = 1_000;

export const pubsubCommands: Readonly<Record<string, Command>> = {
  subscribe: { arity: -2, whileSubscribed: true, run: (input) => subscribe('channel', input) },
  psubscribe: { arity: -2, whileSubscribed: true, run: (input) => subscribe('pattern', input) },
  unsubscribe: { arity: -1, whileSubscribed: true, run: (input) => unsubscribe('channel', input) },
  punsubscribe: { arity: -1, whileSubscribed: true, run: (input) => unsubscribe('pattern', input) },
};

const words = {
  channel: { subscribe: 'subscribe', unsubscribe: 'unsubscribe' },
  pattern: { subscribe: 'psubscribe', unsubscribe: 'punsubscribe' },
} as const;

/** Redis confirms each channel by a message of its own. All but the last are sent here. */
function subscribe(kind: 'channel' | 'pattern', { client, args }: CommandInput): Reply {
  return confirm(
    client,
    args.map((name) => () => {
      if (client.subscriptions < maxSubscriptions) client.subscribe(kind, name);
      return new Push([words[kind].subscribe, name, client.subscriptions]);
    }),
  );
}

function unsubscribe(kind: 'channel' | 'pattern', { client, args }: CommandInput): Reply {
  const names = args.length > 0 ? args : client.subscribed(kind);
  const word = words[kind].unsubscribe;
  if (names.length === 0) return new Push([word, null, client.subscriptions]);
  return confirm(
    client,
    names.map((name) => () => {
      client.unsubscribe(kind, name);
      return new Push([word, name, client.subscriptions]);
    }),
  );
}

function confirm(client: Client, steps: readonly (() => Push)[]): Reply {
  const confirmations = steps.map((step) => step());
  for (const confirmation of confirmations.slice(0, -1)) client.send(encodeReply(confirmation, client.protocol));
  return confirmations.at(-1) ?? null;
}
