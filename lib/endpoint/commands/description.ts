import { ErrorReply, type Reply, SimpleString } from '../resp/reply.ts';
import type { Command } from './command.ts';

type Commands = Readonly<Record<string, Command>>;

/** COMMAND and its subcommands. No command has keys. */
export function describeCommands(commands: Commands, [given = '', ...args]: readonly string[]): Reply {
  const names = args.map((arg) => arg.toLowerCase());
  const all = Object.keys(commands);
  const chosen = names.length === 0 ? all : names;
  switch (given.toLowerCase()) {
    case '':
      return all.map((name) => describe(commands, name));
    case 'count':
      return all.length;
    case 'list':
      return all;
    case 'info':
      return chosen.map((name) => describe(commands, name));
    case 'docs':
      return new Map(chosen.filter((name) => Object.hasOwn(commands, name)).map((name) => [name, documentation]));
    case 'help':
      return ['COUNT', 'DOCS', 'INFO', 'LIST', 'HELP'].map((name) => new SimpleString(name));
    default:
      return new ErrorReply(`ERR unknown subcommand '${given.slice(0, 64)}'. Try COMMAND HELP.`);
  }
}

/** Name, arity, flags, keys, categories, tips, key specifications, subcommands; null for an unknown command. */
function describe(commands: Commands, name: string): Reply {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return command === undefined ? null : [name, command.arity, new Set(), 0, 0, 0, new Set(), [], [], []];
}

const documentation: Reply = new Map<string, Reply>([
  ['summary', 'As at a Sentinel, answered from the records in Consul.'],
  ['group', 'server'],
]);
