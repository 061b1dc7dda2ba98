import { ErrorReply, ok, type Reply } from '../resp/reply.ts';
import type { CommandInput } from './command.ts';

type Client = CommandInput['client'];

/*
 * CLIENT TRACKING and what belongs to it. The endpoint has no keys, so no cached key gets stale: it keeps only what the client
 * set. The texts are those of Redis (networking.c, clientCommand).
 */

const modes: ReadonlySet<string> = new Set(['bcast', 'optin', 'optout', 'noloop']);

export function setTracking(client: Client, [given = '', ...options]: readonly string[]): Reply {
  const words = options.map((option) => option.toLowerCase());
  const flags = new Set<string>();
  let hasPrefix = false;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (modes.has(word)) flags.add(word);
    else if (word === 'prefix' && i + 1 < words.length) [hasPrefix, i] = [true, i + 1];
    else if (word === 'redirect' && i + 1 < words.length)
      return new ErrorReply('ERR The client ID you want redirect to does not exist');
    else return syntaxError;
  }
  if (/^off$/i.test(given)) client.tracking = undefined;
  else if (/^on$/i.test(given)) {
    const conflict = findConflict(flags, hasPrefix);
    if (conflict !== undefined) return new ErrorReply(`ERR ${conflict}`);
    client.tracking = flags;
  } else return syntaxError;
  return ok;
}

const syntaxError = new ErrorReply('ERR syntax error');

function findConflict(flags: ReadonlySet<string>, hasPrefix: boolean): string | undefined {
  const isChosen = flags.has('optin') || flags.has('optout');
  if (hasPrefix && !flags.has('bcast')) return 'PREFIX option requires BCAST mode to be enabled';
  if (flags.has('bcast') && isChosen) return 'OPTIN and OPTOUT are not compatible with BCAST';
  if (flags.has('optin') && flags.has('optout')) return "You can't specify both OPTIN mode and OPTOUT mode";
  return undefined;
}

export function setCaching({ tracking }: Client, [given = '']: readonly string[]): Reply {
  if (tracking === undefined)
    return new ErrorReply(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    );
  const answer = given.toLowerCase();
  if (answer !== 'yes' && answer !== 'no') return syntaxError;
  const mode = answer === 'yes' ? 'optin' : 'optout';
  if (tracking.has(mode)) return ok;
  return new ErrorReply(
    `ERR CLIENT CACHING ${answer.toUpperCase()} is only valid when tracking is enabled in ${mode.toUpperCase()} mode.`,
  );
}

/** The client that gets the invalidations: 0 for itself, -1 for none. */
export function redirection({ tracking }: Client): number {
  return tracking === undefined ? -1 : 0;
}

export function describeTracking(client: Client): Reply {
  const { tracking } = client;
  return new Map<string, Reply>([
    ['flags', new Set(tracking === undefined ? ['off'] : ['on', ...[...modes].filter((mode) => tracking.has(mode))])],
    ['redirect', redirection(client)],
    ['prefixes', []],
  ]);
}
