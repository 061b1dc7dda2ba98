import { ErrorReply, ok, type Reply } from '../resp/reply.ts';
import type { CommandInput } from './command.ts';

/** CLIENT and its subcommands: those that libraries send at the start of a connection. */
export function clientCommand({ client, args }: CommandInput): Reply {
  const [subcommand = '', first, second] = args;
  switch (subcommand.toLowerCase()) {
    case 'id':
      return client.id;
    case 'getname':
      return client.name === '' ? null : client.name;
    case 'setname':
      return setName(client, first);
    case 'setinfo':
      return setInfo(client, [first, second]);
    case 'info':
    case 'list':
      return `id=${client.id} addr=${client.address} name=${client.name} user=${client.user} resp=${client.protocol}\n`;
    // There are no keys: no cache of a client gets stale, and none is evicted.
    case 'tracking':
    case 'no-evict':
    case 'no-touch':
      return first?.toLowerCase() === 'on' || first?.toLowerCase() === 'off' ? ok : new ErrorReply('ERR syntax error');
    default:
      return new ErrorReply(`ERR unknown subcommand '${subcommand.slice(0, 128)}'. Try CLIENT HELP.`);
  }
}

function setName(client: CommandInput['client'], name: string | undefined): Reply {
  if (name === undefined) return new ErrorReply("ERR wrong number of arguments for 'client|setname' command");
  if (/[^\x21-\x7e]/.test(name))
    return new ErrorReply('ERR Client names cannot contain spaces, newlines or special characters.');
  client.name = name;
  return ok;
}

function setInfo(client: CommandInput['client'], [key, value]: readonly (string | undefined)[]): Reply {
  const name = key?.toLowerCase();
  if (value === undefined) return new ErrorReply("ERR wrong number of arguments for 'client|setinfo' command");
  if (name !== 'lib-name' && name !== 'lib-ver')
    return new ErrorReply(`ERR Unrecognized option '${key?.slice(0, 64)}'`);
  client.library.set(name, value);
  return ok;
}
