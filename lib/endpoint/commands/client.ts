import { ErrorReply, ok, type Reply, SimpleString, Verbatim } from '../resp/reply.ts';
import type { CommandInput } from './command.ts';
import { describeTracking, redirection, setCaching, setTracking } from './tracking.ts';

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
  info: { takes: [0, 0], run: (client) => new Verbatim(client.describe()) },
  list: { takes: [0, Number.POSITIVE_INFINITY], run: list },
  reply: { takes: [1, 1], run: setReplies },
  tracking: { takes: [1, Number.POSITIVE_INFINITY], run: setTracking },
  'no-evict': toggle,
  'no-touch': toggle,
  caching: { takes: [1, 1], run: setCaching },
  getredir: { takes: [0, 0], run: redirection },
  trackinginfo: { takes: [0, 0], run: describeTracking },
  kill: { takes: [1, Number.POSITIVE_INFINITY], run: kill },
  unblock: { takes: [1, 2], run: unblock },
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

/** A client sees only itself. `LIST [TYPE type] [ID id ...]`. */
function list(client: Client, [option = '', ...values]: readonly string[]): Reply {
  const isSubscriber = client.subscriptions > 0;
  switch (option.toLowerCase()) {
    case '':
      return new Verbatim(client.describe());
    case 'type': {
      const [type = ''] = values;
      if (values.length !== 1) return syntaxError;
      if (!clientType.test(type)) return unknownType(type);
      return type.toLowerCase() === (isSubscriber ? 'pubsub' : 'normal') ? new Verbatim(client.describe()) : none;
    }
    case 'id':
      if (values.length === 0) return syntaxError;
      if (!values.every((id) => /^\d{1,18}$/.test(id))) return new ErrorReply('ERR Invalid client ID');
      return values.includes(String(client.id)) ? new Verbatim(client.describe()) : none;
    default:
      return syntaxError;
  }
}

/** A client can only kill itself: `KILL address`, or `KILL option value ...`. */
function kill(_client: Client, options: readonly string[]): Reply {
  if (options.length === 1) return new ErrorReply('ERR No such client');
  if (options.length % 2 === 1) return syntaxError;
  for (let i = 0; i < options.length; i += 2) {
    const [name = '', value = ''] = [options[i]?.toLowerCase(), options[i + 1]];
    if (name === 'type' && !clientType.test(value)) return unknownType(value);
    if (name === 'id' && !/^[1-9]\d{0,17}$/.test(value))
      return new ErrorReply('ERR client-id should be greater than 0');
    if (name === 'skipme' && !/^(?:yes|no)$/i.test(value)) return syntaxError;
    if (!/^(?:id|type|addr|laddr|user|skipme|maxage)$/.test(name)) return syntaxError;
  }
  return 0;
}

/** No client is blocked. */
function unblock(_client: Client, [id = '', how = 'timeout']: readonly string[]): Reply {
  if (!/^(?:timeout|error)$/i.test(how)) return new ErrorReply('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  return /^-?\d{1,18}$/.test(id) ? 0 : new ErrorReply('ERR value is not an integer or out of range');
}

const clientType = /^(?:normal|master|slave|replica|pubsub)$/i;

function unknownType(given: string): Reply {
  return new ErrorReply(`ERR Unknown client type '${given.slice(0, 64)}'`);
}

const none = new Verbatim('');

function setReplies(client: Client, [given = '']: readonly string[]): Reply {
  const mode = given.toLowerCase();
  if (mode !== 'on' && mode !== 'off' && mode !== 'skip') return syntaxError;
  if (mode === 'on' || client.replies !== 'off') client.replies = mode;
  return ok;
}
