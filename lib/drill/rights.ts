import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';

const timeoutMs = 2_000;

/** What a drill's user needs at each Redis of the master, as ACL rules. */
const drillRules = '~switchmaster:drill:* +role +rpush +lrange +expire +del';

/**
 * Tries every command of a drill at the master and its replicas, before anything fails over. Throws `redis-denied` where one is
 * refused. It ignores a replica that cannot be reached or accepts no writes.
 */
export async function checkRights(
  { master, replicas }: Pick<MasterRecord, 'master' | 'replicas'>,
  { access, key }: { readonly access: RedisAccess; readonly key: string },
): Promise<void> {
  await Promise.all([master, ...replicas].map((address) => tryCommands(address, { access, key })));
}

async function tryCommands(
  address: Address,
  { access, key }: { readonly access: RedisAccess; readonly key: string },
): Promise<void> {
  const link = new RedisLink(address, access);
  const commands = [
    ['ROLE'],
    ['RPUSH', key, 'rights'],
    ['EXPIRE', key, 60],
    ['LRANGE', key, 0, -1],
    ['DEL', key],
  ] as const;
  try {
    for (const command of commands) {
      await link
        .call(command, { timeoutMs })
        .catch((thrown: unknown) => refuseDenied(thrown, { address, command: command[0] }));
    }
  } finally {
    link.close();
  }
}

/** A Redis judges the user's rights before it says that a replica is read-only. */
function refuseDenied(
  thrown: unknown,
  { address, command }: { readonly address: Address; readonly command: string },
): void {
  const cause = SwitchmasterError.from(thrown);
  if (cause.code !== 'redis-denied') return;
  const message =
    `the drill did not begin: ${formatAddress(address)} refuses ${command} to the user of sentinel.redis. ` +
    `Run there: ACL SETUSER USER ${drillRules}`;
  throw new SwitchmasterError('redis-denied', message, { cause });
}
