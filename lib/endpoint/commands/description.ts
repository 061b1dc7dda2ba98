import { matchesGlob } from '../glob.ts';
import { ErrorReply, type Reply, SimpleString } from '../resp/reply.ts';
import { fitsArity } from './arity.ts';
import type { Command } from './command.ts';

type Commands = Readonly<Record<string, Command>>;

interface Subcommand {
  /** It counts COMMAND and the subcommand, as in Redis' COMMAND. */
  readonly arity: number;
  run(commands: Commands, args: readonly string[]): Reply;
}

const syntaxError = new ErrorReply('ERR syntax error');

const subcommands: Readonly<Record<string, Subcommand>> = {
  count: { arity: 2, run: (commands) => Object.keys(commands).length },
  list: { arity: -2, run: list },
  info: { arity: -2, run: (commands, names) => choose(commands, names).map((name) => describe(commands, name)) },
  docs: {
    arity: -2,
    run: (commands, names) =>
      new Map(
        choose(commands, names)
          .filter((name) => Object.hasOwn(commands, name))
          .map((name) => [name, documentation]),
      ),
  },
  getkeys: {
    arity: -3,
    run: (commands, [name = '']) =>
      new ErrorReply(
        Object.hasOwn(commands, name.toLowerCase())
          ? 'ERR The command has no key arguments'
          : 'ERR Invalid command specified',
      ),
  },
  help: { arity: 2, run: () => help.map((line) => new SimpleString(line)) },
};

const help = [
  'COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands of this endpoint are:',
  '(no subcommand)',
  'COUNT',
  'DOCS [<command-name> ...]',
  'GETKEYS <full-command>',
  'INFO [<command-name> ...]',
  'LIST [FILTERBY (MODULE <module-name> | ACLCAT <category> | PATTERN <pattern>)]',
  'HELP',
];

/** COMMAND and its subcommands. No command has keys. */
export function describeCommands(commands: Commands, [given, ...args]: readonly string[]): Reply {
  if (given === undefined) return Object.keys(commands).map((name) => describe(commands, name));
  const word = given.toLowerCase();
  const subcommand = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined;
  if (subcommand === undefined)
    return new ErrorReply(`ERR unknown subcommand '${given.slice(0, 128)}'. Try COMMAND HELP.`);
  if (!fitsArity(subcommand.arity, args.length + 2))
    return new ErrorReply(`ERR wrong number of arguments for 'command|${word}' command`);
  return subcommand.run(commands, args);
}

function choose(commands: Commands, names: readonly string[]): readonly string[] {
  return names.length === 0 ? Object.keys(commands) : names.map((name) => name.toLowerCase());
}

function list(commands: Commands, [filter, kind = '', value = '', ...more]: readonly string[]): Reply {
  const names = Object.keys(commands);
  if (filter === undefined) return names;
  if (filter.toLowerCase() !== 'filterby' || more.length > 0) return syntaxError;
  switch (kind.toLowerCase()) {
    case 'module':
      return [];
    case 'aclcat':
      return names.filter((name) => traitsOf(name).categories.includes(value.toLowerCase()));
    case 'pattern':
      return names.filter((name) => matchesGlob(value.toLowerCase(), name));
    default:
      return syntaxError;
  }
}

/** Name, arity, flags, keys, categories, tips, key specifications, subcommands; null for an unknown command. */
function describe(commands: Commands, name: string): Reply {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return null;
  const { flags, categories } = traitsOf(name);
  const words = flags.map((flag) => new SimpleString(flag));
  const groups = categories.map((category) => new SimpleString(`@${category}`));
  return [name, command.arity, new Set(words), 0, 0, 0, new Set(groups), new Set(), new Set(), new Set()];
}

interface Traits {
  readonly flags: readonly string[];
  readonly categories: readonly string[];
}

const pubsub: Traits = { flags: ['pubsub', 'noscript', 'loading', 'stale'], categories: ['pubsub', 'slow'] };
const connection: Traits = {
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  categories: ['fast', 'connection'],
};
const container: Traits = { flags: [], categories: ['slow'] };

/** As a Sentinel of Redis 7 describes them. */
const traits: Readonly<Record<string, Traits>> = {
  ping: { flags: ['fast'], categories: ['fast', 'connection'] },
  echo: { flags: ['loading', 'stale', 'fast'], categories: ['fast', 'connection'] },
  ...{ auth: connection, hello: connection, quit: connection, reset: connection },
  ...{ client: container, acl: container },
  command: { flags: ['loading', 'stale'], categories: ['slow', 'connection'] },
  info: { flags: ['loading', 'stale'], categories: ['slow', 'dangerous'] },
  role: { flags: ['noscript', 'loading', 'stale', 'fast'], categories: ['admin', 'fast', 'dangerous'] },
  sentinel: { flags: ['admin'], categories: ['admin', 'slow', 'dangerous'] },
  publish: { flags: ['pubsub', 'loading', 'stale', 'fast'], categories: ['pubsub', 'fast'] },
  ...{ subscribe: pubsub, psubscribe: pubsub, unsubscribe: pubsub, punsubscribe: pubsub },
};

function traitsOf(name: string): Traits {
  return traits[name] ?? container;
}

const documentation: Reply = new Map<string, Reply>([
  ['summary', 'As at a Sentinel, answered from the records in Consul.'],
  ['since', '1.0.0'],
  ['group', 'server'],
]);
