import { type Address, formatAddress } from '../address.ts';
import { redisCliWords } from '../shell-words.ts';

/** A command that a server refuses to the bridge's user, although it lets the bridge in. */
export interface Limit {
  readonly server: 'Redis' | 'Sentinel';
  readonly address: Address;
  /** `CLIENT PAUSE`, `PSUBSCRIBE`, … */
  readonly command: string;
  /** The server's answer. */
  readonly says: string;
}

/** What is lost without a command. Others are questions with a substitute, or are reported by who needs them. */
const losses: Readonly<Record<string, string>> = {
  'CLIENT PAUSE': 'writes are not held while the master changes, and some may be lost',
  'CLIENT UNPAUSE': 'writes that it holds wait until the pause ends',
  'CLIENT KILL': 'clients of a former master stay connected to it',
  SLAVEOF: 'a former master is not made a replica before Sentinel does it',
  'CONFIG REWRITE': 'a former master that starts again is a master until Sentinel corrects it',
  PSUBSCRIBE: 'its messages do not arrive, so the bridge asks it every second instead',
  'SENTINEL MASTERS': 'masters that it monitors are known only if sentinel.masters names them without a pattern',
  'SENTINEL MASTER': 'the bridge reads all of its masters instead',
  'SENTINEL SLAVES': 'new replicas are not seen',
  'SENTINEL SENTINELS': 'Sentinels that the config does not list are not found',
  'SENTINEL MYID': 'a Sentinel with two addresses counts twice',
  'SENTINEL FAILOVER': 'no failover can be ordered',
  INFO: 'two names of one process are not recognized, and no failover can be planned',
};

/** What stands for a command and its older name, if both are refused. */
const shownNames: Readonly<Record<string, string>> = {
  SLAVEOF: 'REPLICAOF',
  'SENTINEL SLAVES': 'SENTINEL REPLICAS',
};

/** One sentence with the loss and the fix; none where nothing is lost. */
export function describeLimit({ server, address, command, says }: Limit): readonly string[] {
  const loss = losses[command];
  // A Sentinel's INFO only has its clock and its TILT mode.
  if (loss === undefined || (server === 'Sentinel' && command === 'INFO')) return [];
  const user = server === 'Redis' ? 'the user of sentinel.redis' : 'the user of sentinel.username';
  const fix = says.startsWith('NOPERM')
    ? `give ${user} the rules of docs/reference/redis-acl.md`
    : 'give the command its name back, or set sentinel.fence to what the server permits';
  return [
    `${server} ${formatAddress(address)} refuses ${shownNames[command] ?? command} (${says.trim()}): ${loss}; ${fix}`,
  ];
}

/** What to type to see the rules of the user, or whether the command has another name. */
export function questionAbout({ address, command, says }: Limit): string {
  const [name = command] = command.split(' ');
  return redisCliWords(address, says.startsWith('NOPERM') ? ['ACL', 'LIST'] : ['COMMAND', 'INFO', name]).join(' ');
}
