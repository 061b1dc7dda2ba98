import { ErrorReply, ok, type Reply, SimpleString } from '../resp/reply.ts';
import type { CommandInput } from './command.ts';

type Client = CommandInput['client'];

interface Subcommand {
  /** The least and the most arguments after the subcommand. */
  readonly takes: readonly [number, number];
  run(client: Client, args: readonly string[]): Reply;
}

const syntaxError = new ErrorReply('ERR syntax error');

const toggle: Subcommand = {
  takes: [1, 1],
  run: (_client, [given = '']) => (/^(?:on|off)$/i.test(given) ? ok : syntaxError),
};

const subcommands: Readonly<Record<string, Subcommand>> = {
  id: { takes: [0, 0], run: ({ id }) => id },
  getname: { takes: [0, 0], run: ({ name }) => (name === '' ? null : name) },
  setname: { takes: [1, 1], run: (client, [name = '']) => setName(client, name) },
  setinfo: { takes: [2, 2], run: setInfo },
  info: { takes: [0, 0], run: (client) => client.describe() },
  list: { takes: [0, Number.POSITIVE_INFINITY], run: list },
  reply: { takes: [1, 1], run: setReplies },
  // There are no keys: no cache of a client gets stale, and none is evicted.
  tracking: { ...toggle, takes: [1, Number.POSITIVE_INFINITY] },
  'no-evict': toggle,
  'no-touch': toggle,
  caching: {
    takes: [1, 1],
    run: () =>
      new ErrorReply(
        'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
      ),
  },
  getredir: { takes: [0, 0], run: () => -1 },
  trackinginfo: {
    takes: [0, 0],
    run: () =>
      new Map<string, Reply>([
        ['flags', new Set(['off'])],
        ['redirect', -1],
        ['prefixes', []],
      ]),
  },
  help: { takes: [0, 0], run: () => help.map((line) => new SimpleString(line)) },
};

const help = [
  'CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands of this endpoint are:',
  ...Object.keys(subcommands).map((name) => name.toUpperCase()),
];

/** CLIENT and its subcommands: those that libraries send at the start of a connection. */
export function clientCommand({ client, args: [given = '', ...args] }: CommandInput): Reply {
  const word = given.toLowerCase();
  const subcommand = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined;
  if (subcommand === undefined)
    return new ErrorReply(`ERR unknown subcommand '${given.slice(0, 128)}'. Try CLIENT HELP.`);
  const [least, most] = subcommand.takes;
  if (args.length < least || args.length > most)
    return new ErrorReply(`ERR wrong number of arguments for 'client|${word}' command`);
  return subcommand.run(client, args);
}

/** Sets the name of a connection, by CLIENT SETNAME or HELLO. */
export function setName(client: Client, name: string): Reply {
  if (/[^\x21-\x7e]/.test(name))
    return new ErrorReply('ERR Client names cannot contain spaces, newlines or special characters.');
  client.name = name;
  return ok;
}

function setInfo(client: Client, [key = '', value = '']: readonly string[]): Reply {
  const name = key.toLowerCase();
  if (name !== 'lib-name' && name !== 'lib-ver') return new ErrorReply(`ERR Unrecognized option '${key.slice(0, 64)}'`);
  if (/[^\x21-\x7e]/.test(value))
    return new ErrorReply(`ERR ${name} cannot contain spaces, newlines or special characters.`);
  client.library.set(name, value);
  return ok;
}

/** A client sees no other. `LIST [TYPE type] [ID id ...]`. */
function list(client: Client, [option = '', ...values]: readonly string[]): Reply {
  const isSubscriber = client.subscriptions > 0;
  switch (option.toLowerCase()) {
    case '':
      return client.describe();
    case 'type': {
      const [type = ''] = values;
      if (values.length !== 1) return syntaxError;
      if (!/^(?:normal|master|slave|replica|pubsub)$/i.test(type))
        return new ErrorReply(`ERR Unknown client type '${type.slice(0, 64)}'`);
      return type.toLowerCase() === (isSubscriber ? 'pubsub' : 'normal') ? client.describe() : '';
    }
    case 'id':
      if (values.length === 0) return syntaxError;
      if (!values.every((id) => /^\d{1,18}$/.test(id))) return new ErrorReply('ERR Invalid client ID');
      return values.includes(String(client.id)) ? client.describe() : '';
    default:
      return syntaxError;
  }
}

function setReplies(client: Client, [given = '']: readonly string[]): Reply {
  const mode = given.toLowerCase();
  if (mode !== 'on' && mode !== 'off' && mode !== 'skip') return syntaxError;
  if (mode === 'on' || client.replies !== 'off') client.replies = mode;
  return ok;
}
