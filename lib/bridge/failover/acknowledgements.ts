import type { RedisLink } from '../../client/redis.ts';
import type { RedisPool } from '../../client/redis-pool.ts';
import type { Address } from '../../model/address.ts';

/*
 * A master that carries out FAILOVER waits until the replica has acknowledged its offset. A replica acknowledges once a second
 * (replication.c, replicationCron), so writes would stop for half a second on average. REPLCONF GETACK makes it acknowledge at once.
 * A master asks that of its replicas too, but not while its writes are paused (server.c, beforeSleep).
 */

const everyMs = 4;
const connectMs = 500;

/** Makes each replica acknowledge its offset again and again, until the function that it returns is called. */
export function askForAcknowledgements(redis: RedisPool, replicas: readonly Address[]): () => void {
  const stops = replicas.map((address) => askOne(redis.openLink(address)));
  return () => {
    for (const stop of stops) stop();
  };
}

function askOne(link: RedisLink): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    link.close();
  };
  // A server that carries it out does not answer it. An answer is a refusal.
  const ask = (): void => link.callUnanswered(['REPLCONF', 'GETACK', '*'], stop);
  timer = setInterval(ask, everyMs);
  void link.connected({ timeoutMs: connectMs }).then(ask);
  return stop;
}
