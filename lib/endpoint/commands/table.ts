import type { Client } from '../client.ts';
import { formatInfo, redisVersion } from '../plan/information.ts';
import { ErrorReply, ok, type Reply, SimpleString } from '../resp/reply.ts';
import { clientCommand } from './client.ts';
import type { Command, CommandContext, CommandInput } from './command.ts';
import { pubsubCommands } from './pubsub.ts';
import { sentinelCommand } from './sentinel.ts';

const commands: Readonly<Record<string, Command>> = {
  ping: { arity: -1, whileSubscribed: true, run: ping },
  echo: { arity: 2, run: ({ args: [text = ''] }) => text },
  auth: { arity: -2, isOpen: true, run: ({ context, client, args }) => context.access.authenticate(client, args) },
  hello: { arity: -1, isOpen: true, run: hello },
  quit: { arity: -1, isOpen: true, whileSubscribed: true, run: () => ok },
  reset: { arity: 1, isOpen: true, whileSubscribed: true, run: reset },
  client: { arity: -2, run: clientCommand },
  command: { arity: -1, run: describeCommands },
  info: {
    arity: -1,
    run: ({ context, args }) => formatInfo(args, { facts: context.facts(), view: context.view() }),
  },
  role: { arity: 1, run: ({ context }) => ['sentinel', [...(context.view()?.masters.keys() ?? [])]] },
  sentinel: { arity: -2, run: ({ context, client, args }) => sentinelCommand(context, { client, args }) },
  ...pubsubCommands,
};

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
  if (!fits(command.arity, args.length + 1))
    return new ErrorReply(`ERR wrong number of arguments for '${word}' command`);
  if (client.protocol === 2 && client.subscriptions > 0 && command.whileSubscribed !== true)
    return subscribedOnly(word);
  return command.run({ ...on, args });
}

function fits(arity: number, given: number): boolean {
  return arity < 0 ? given >= -arity : given === arity;
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
      on.client.name = options[i + 1] ?? '';
      i += 2;
    } else return new ErrorReply(`ERR Syntax error in HELLO option '${options[i]?.slice(0, 64)}'`);
  }
  return undefined;
}

/** Name, arity, flags, and no keys. */
function describeCommands({ args }: CommandInput): Reply {
  const [subcommand = '', ...names] = args.map((arg) => arg.toLowerCase());
  const describe = (name: string): Reply => {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    return command === undefined ? null : [name, command.arity, [], 0, 0, 0, [], [], [], []];
  };
  if (subcommand === '') return Object.keys(commands).map(describe);
  if (subcommand === 'count') return Object.keys(commands).length;
  if (subcommand === 'list') return Object.keys(commands);
  if (subcommand === 'docs') return new Map<string, Reply>();
  if (subcommand === 'info') return (names.length === 0 ? Object.keys(commands) : names).map(describe);
  return new ErrorReply(`ERR unknown subcommand '${subcommand.slice(0, 64)}'. Try COMMAND HELP.`);
}
