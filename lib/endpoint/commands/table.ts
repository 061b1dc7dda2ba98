import type { Client } from '../client.ts';
import { formatInfo, redisVersion } from '../plan/information.ts';
import type { ServedView } from '../plan/view.ts';
import { ErrorReply, ok, type Reply, SimpleString } from '../resp/reply.ts';
import { fitsArity } from './arity.ts';
import { clientCommand, setName } from './client.ts';
import type { Command, CommandContext, CommandInput } from './command.ts';
import { describeCommands } from './description.ts';
import { pubsubCommands } from './pubsub.ts';
import { recordsUnread, sentinelCommand } from './sentinel.ts';

const commands: Readonly<Record<string, Command>> = {
  ping: { arity: -1, whileSubscribed: true, run: ping },
  echo: { arity: 2, run: ({ args: [text = ''] }) => text },
  auth: { arity: -2, isOpen: true, run: ({ context, client, args }) => context.access.authenticate(client, args) },
  hello: { arity: -1, isOpen: true, run: hello },
  quit: { arity: -1, isOpen: true, whileSubscribed: true, run: () => ok },
  reset: { arity: 1, isOpen: true, whileSubscribed: true, run: reset },
  client: { arity: -2, run: clientCommand },
  command: { arity: -1, run: ({ args }) => describeCommands(commands, args) },
  info: {
    arity: -1,
    run: ({ context, args }) => formatInfo(args, { facts: context.facts(), view: context.view() }),
  },
  role: { arity: 1, run: ({ context }) => describeRole(context.view()) },
  sentinel: { arity: -2, run: ({ context, client, args }) => sentinelCommand(context, { client, args }) },
  acl: { arity: -2, run: ({ client, args }) => aclCommand(client, args) },
  publish: { arity: 3, run: () => new ErrorReply('ERR Only HELLO messages are accepted by Sentinel instances.') },
  ...pubsubCommands,
};

function describeRole(view: ServedView | undefined): Reply {
  return view === undefined ? recordsUnread : ['sentinel', [...view.masters.keys()]];
}

function aclCommand(client: Client, [subcommand = '', ...more]: readonly string[]): Reply {
  const word = subcommand.toLowerCase();
  const isKnown = word === 'whoami' || word === 'help';
  if (isKnown && more.length > 0) return new ErrorReply(`ERR wrong number of arguments for 'acl|${word}' command`);
  if (word === 'whoami') return client.user === 'operator' ? 'operator' : 'default';
  if (word === 'help') return aclHelp.map((line) => new SimpleString(line));
  return new ErrorReply(`ERR unknown subcommand '${subcommand.slice(0, 128)}'. Try ACL HELP.`);
}

const aclHelp = ['ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands of this endpoint are:', 'WHOAMI', 'HELP'];

/** The names that a connection may use for its end. The session closes it after the reply. */
export const closing = 'quit';

/** Answers one command, never throws. */
export async function answer(
  [name = '', ...args]: readonly string[],
  on: { readonly context: CommandContext; readonly client: Client },
): Promise<Reply> {
  const word = name.toLowerCase();
  const { client } = on;
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (client.user === 'nobody' && command?.isOpen !== true) return new ErrorReply('NOAUTH Authentication required.');
  if (command === undefined) return unknownCommand(name, args);
  if (!fitsArity(command.arity, args.length + 1))
    return new ErrorReply(`ERR wrong number of arguments for '${word}' command`);
  if (client.protocol === 2 && client.subscriptions > 0 && command.whileSubscribed !== true)
    return subscribedOnly(isContainer(word) && args[0] !== undefined ? `${word}|${args[0].toLowerCase()}` : word);
  return command.run({ ...on, args });
}

/** Whether the first argument is a subcommand. */
function isContainer(word: string): boolean {
  return ['acl', 'client', 'command', 'sentinel'].includes(word);
}

function unknownCommand(name: string, args: readonly string[]): Reply {
  const shown = args.map((arg) => `'${arg.slice(0, 128)}' `).join('');
  return new ErrorReply(
    `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown.slice(0, 128)}`,
  );
}

function subscribedOnly(word: string): Reply {
  const allowed = '(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET';
  return new ErrorReply(`ERR Can't execute '${word}': only ${allowed} are allowed in this context`);
}

function ping({ client, args }: CommandInput): Reply {
  if (args.length > 1) return new ErrorReply("ERR wrong number of arguments for 'ping' command");
  if (client.protocol === 2 && client.subscriptions > 0) return ['pong', args[0] ?? ''];
  return args[0] ?? new SimpleString('PONG');
}

function reset({ client }: CommandInput): Reply {
  client.reset();
  return new SimpleString('RESET');
}

function hello({ context, client, args }: CommandInput): Reply {
  const [version, ...options] = args;
  if (version !== undefined && !/^-?\d{1,18}$/.test(version))
    return new ErrorReply('ERR Protocol version is not an integer or out of range');
  if (version !== undefined && !/^[23]$/.test(version)) return new ErrorReply('NOPROTO unsupported protocol version');
  const refusal = applyHelloOptions(options, { context, client });
  if (refusal !== undefined) return refusal;
  if (client.user === 'nobody') {
    const hint =
      'HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';
    return new ErrorReply(`NOAUTH ${hint}`);
  }
  if (version !== undefined) client.protocol = version === '3' ? 3 : 2;
  return new Map<string, Reply>([
    ['server', 'redis'],
    ['version', redisVersion],
    ['proto', client.protocol],
    ['id', client.id],
    ['mode', 'sentinel'],
    ['modules', []],
  ]);
}

function applyHelloOptions(
  options: readonly string[],
  on: { readonly context: CommandContext; readonly client: Client },
): Reply | undefined {
  for (let i = 0; i < options.length; ) {
    const option = options[i]?.toLowerCase();
    if (option === 'auth' && i + 2 < options.length) {
      const reply = on.context.access.authenticate(on.client, options.slice(i + 1, i + 3));
      if (reply instanceof ErrorReply) return reply;
      i += 3;
    } else if (option === 'setname' && i + 1 < options.length) {
      const reply = setName(on.client, options[i + 1] ?? '');
      if (reply instanceof ErrorReply) return reply;
      i += 2;
    } else return new ErrorReply(`ERR Syntax error in HELLO option '${options[i]?.slice(0, 64)}'`);
  }
  return undefined;
}
