import { SwitchmasterError } from '../../errors.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { Client } from '../client.ts';
import { describeEndpoint, describeMaster, describeReplica } from '../plan/answers.ts';
import type { ServedMaster, ServedView } from '../plan/view.ts';
import { ErrorReply, nullArray, ok, type Reply, SimpleString } from '../resp/reply.ts';
import { fitsArity } from './arity.ts';
import { configCommand, refusal, refuse, refusedArity } from './refusals.ts';

export interface SentinelContext {
  /** 40 hexadecimal digits. */
  readonly id: () => string;
  /** undefined until Consul was read once. */
  readonly view: () => ServedView | undefined;
  /** What the Sentinels say of a master; empty on a node without a bridge. */
  readonly sentinels: (name: string) => readonly SentinelView[];
  /** Whether Consul answers now. */
  readonly isCurrent: () => boolean;
  /** Orders a planned failover; undefined where the config allows none. Rejects with the reason. */
  readonly failOver: ((name: string) => Promise<unknown>) | undefined;
}

interface Call {
  readonly context: SentinelContext;
  readonly client: Client;
  readonly view: ServedView;
  /** After the subcommand. */
  readonly args: readonly string[];
}

type Subcommand = {
  /** It counts SENTINEL and the subcommand, as in Redis' COMMAND. */
  readonly arity: number;
} & (
  | { readonly reads: 'records'; run(call: Call): Reply | Promise<Reply> }
  /** It is answered before Consul was read, too. */
  | { readonly reads: 'nothing'; run(context: SentinelContext, args: readonly string[]): Reply }
);

const ofMaster = (run: (master: ServedMaster, call: Call) => Reply | Promise<Reply>): Subcommand => ({
  arity: 3,
  reads: 'records',
  run: (call) => {
    const master = call.view.masters.get(call.args[0] ?? '');
    return master === undefined ? new ErrorReply('ERR No such master with that name') : run(master, call);
  },
});

const replicas = ofMaster((master, { context }) => {
  const sentinels = context.sentinels(master.name);
  return master.replicas.map((replica) => describeReplica(replica, { master, sentinels }));
});

const addressByName: Subcommand = {
  arity: 3,
  reads: 'records',
  run: ({ view, args }) => {
    const master = view.masters.get(args[0] ?? '');
    return master === undefined ? nullArray : [master.address.host, String(master.address.port)];
  },
};

const all: Subcommand = {
  arity: 2,
  reads: 'records',
  run: ({ view, context }) =>
    [...view.masters.values()].map((master) =>
      describeMaster(master, { view, sentinels: context.sentinels(master.name) }),
    ),
};

const one = ofMaster((master, { view, context }) =>
  describeMaster(master, { view, sentinels: context.sentinels(master.name) }),
);

const isDown: Subcommand = { arity: 6, reads: 'records', run: isMasterDown };

const subcommands: Readonly<Record<string, Subcommand>> = {
  'get-master-addr-by-name': addressByName,
  masters: all,
  master: one,
  // The names of Valkey 8.
  'get-primary-addr-by-name': addressByName,
  primaries: all,
  primary: one,
  'is-primary-down-by-addr': isDown,
  replicas,
  slaves: replicas,
  sentinels: ofMaster((master, { view, context }) => {
    const sentinels = context.sentinels(master.name);
    return view.endpoints.map((endpoint) => describeEndpoint(endpoint, sentinels));
  }),
  ckquorum: ofMaster((_master, { context, view }) => checkQuorum(context, view)),
  failover: ofMaster(failOver),
  'pending-scripts': { arity: 2, reads: 'nothing', run: () => [] },
  'is-master-down-by-addr': isDown,
  'info-cache': { arity: -3, reads: 'records', run: ({ view, args }) => describeCache(view, args) },
  config: { arity: -4, reads: 'nothing', run: (_context, args) => configCommand(args) },
  myid: { arity: 2, reads: 'nothing', run: (context) => context.id() },
  help: { arity: 2, reads: 'nothing', run: () => help.map((line) => new SimpleString(line)) },
};

/** The answer until Consul was read once: an empty list would be a guess. */
export const recordsUnread = new ErrorReply(
  'ERR switchmaster has not read the records from Consul yet: ask another endpoint, or try again',
);

const help = [
  'SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands of this endpoint are:',
  'CKQUORUM <master-name>',
  'CONFIG GET <param> [<param> ...]',
  'FAILOVER <master-name>',
  'GET-MASTER-ADDR-BY-NAME <master-name>',
  'INFO-CACHE <master-name> [<master-name> ...]',
  'IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> *',
  'MASTER <master-name>',
  'MASTERS',
  'MYID',
  'PENDING-SCRIPTS',
  'REPLICAS <master-name>',
  'SENTINELS <master-name>',
  'HELP',
];

/** SENTINEL and its subcommands, from the records. */
export async function sentinelCommand(
  context: SentinelContext,
  from: { readonly client: Client; readonly args: readonly string[] },
): Promise<Reply> {
  const [given = '', ...args] = from.args;
  const word = given.toLowerCase();
  const known = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined;
  const arity = known?.arity ?? refusedArity(word);
  if (arity === undefined) return new ErrorReply(`ERR unknown subcommand '${given.slice(0, 128)}'. Try SENTINEL HELP.`);
  if (!fitsArity(arity, args.length + 2))
    return new ErrorReply(`ERR wrong number of arguments for 'sentinel|${word}' command`);
  if (known === undefined) return refuse(word, { args, view: context.view() });
  if (known.reads === 'nothing') return known.run(context, args);
  const view = context.view();
  if (view === undefined) return recordsUnread;
  return known.run({ context, client: from.client, view, args });
}

/** Whether the master at an address is down. With a run id in place of `*`, a Sentinel asks for a vote. */
function isMasterDown({ view, args: [host, port, epoch = '', runId] }: Call): Reply {
  const isCount = (text = '') => /^-?\d{1,18}$/.test(text);
  if (!isCount(port) || !isCount(epoch)) return new ErrorReply('ERR value is not an integer or out of range');
  if (runId !== '*') return refusal('is-master-down-by-addr');
  const asked = [...view.masters.values()].find(
    ({ address }) => address.host === host && address.port === Number(port),
  );
  return [asked === undefined || asked.condition === 'up' ? 0 : 1, '*', 0];
}

/** SENTINEL INFO-CACHE: no INFO of the servers is known, as at a Sentinel that has just started. */
function describeCache({ masters }: ServedView, names: readonly string[]): Reply {
  const known = [...masters.values()].filter(({ name }) => names.includes(name));
  return known.flatMap(({ name, replicas }): readonly Reply[] => [
    name,
    Array.from({ length: replicas.length + 1 }, (): Reply => [0, null]),
  ]);
}

function checkQuorum(context: SentinelContext, view: ServedView): Reply {
  if (!context.isCurrent())
    return new ErrorReply('NOQUORUM Consul does not answer: the records are the last ones that were read');
  const usable = view.endpoints.length + 1;
  return new SimpleString(`OK ${usable} usable Sentinels. Quorum and failover authorization can be reached`);
}

async function failOver(master: ServedMaster, { context, client }: Call): Promise<Reply> {
  if (context.failOver === undefined)
    return new ErrorReply(
      'ERR SENTINEL FAILOVER is refused: the config of switchmaster has no sentinelEndpoint.operator',
    );
  if (client.user !== 'operator')
    return new ErrorReply("NOPERM this user has no permissions to run the 'sentinel|failover' command");
  try {
    await context.failOver(master.name);
    return ok;
  } catch (thrown) {
    const { message } = SwitchmasterError.from(thrown);
    return new ErrorReply(`ERR ${message}`);
  }
}
