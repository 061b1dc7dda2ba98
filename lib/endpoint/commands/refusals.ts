import { matchesGlob } from '../glob.ts';
import type { ServedView } from '../plan/view.ts';
import { ErrorReply, type Reply } from '../resp/reply.ts';

/** A subcommand of a Sentinel that changes something. */
interface Refused {
  /** It counts SENTINEL and the subcommand, as in Redis' COMMAND. */
  readonly arity: number;
  /** The first argument is the name of a master, and a Sentinel answers first that it does not know it. */
  readonly ofMaster?: true;
}

const subcommands: Readonly<Record<string, Refused>> = {
  monitor: { arity: 6 },
  remove: { arity: 3, ofMaster: true },
  set: { arity: -5, ofMaster: true },
  reset: { arity: 3 },
  flushconfig: { arity: 2 },
  debug: { arity: -2 },
  'simulate-failure': { arity: -3 },
};

/** undefined where the endpoint does not know the subcommand. */
export function refusedArity(word: string): number | undefined {
  return Object.hasOwn(subcommands, word) ? subcommands[word]?.arity : undefined;
}

export function refuse(
  word: string,
  given: { readonly args: readonly string[]; readonly view: ServedView | undefined },
): Reply {
  const isOfMaster = subcommands[word]?.ofMaster === true;
  if (isOfMaster && given.view?.masters.has(given.args[0] ?? '') === false)
    return new ErrorReply('ERR No such master with that name');
  return refusal(word);
}

export function refusal(word: string): Reply {
  const why = 'this is the Sentinel endpoint of switchmaster, which monitors nothing';
  return new ErrorReply(`ERR SENTINEL ${word.toUpperCase()} is refused: ${why}; send it to a Sentinel`);
}

/** A Sentinel's defaults. The endpoint has none of these settings. */
const settings: Readonly<Record<string, string>> = {
  'resolve-hostnames': 'no',
  'announce-hostnames': 'no',
  'announce-ip': '',
  'announce-port': '0',
  'sentinel-user': '',
  'sentinel-pass': '',
  loglevel: 'notice',
};

/** SENTINEL CONFIG GET; CONFIG SET is refused. */
export function configCommand([given = '', ...patterns]: readonly string[]): Reply {
  const word = given.toLowerCase();
  if (word === 'set' && patterns.length > 1) return refusal('config set');
  if (word !== 'get')
    return new ErrorReply(
      'ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are supported.',
    );
  const wanted = patterns.map((pattern) => pattern.toLowerCase());
  return new Map(Object.entries(settings).filter(([name]) => wanted.some((pattern) => matchesGlob(pattern, name))));
}
