import { RedisLink } from '../client/redis.ts';
import { readFieldAddress, readFieldsList, readId, readPeer } from '../client/sentinel-shapes.ts';
import type { AccessConfig } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { type Address, distinctAddresses, formatAddress } from '../model/address.ts';
import type { AskedSentinel } from './plan/snapshot.ts';

const timeoutMs = 2_000;

interface Answer {
  readonly asked: AskedSentinel;
  readonly id: string | undefined;
  readonly peers: readonly Address[];
}

/** Asks these Sentinels and those that they know whether they monitor `name`. Each process is in the answer once. */
export async function askSentinels(
  name: string,
  { addresses, access }: { readonly addresses: readonly Address[]; readonly access: AccessConfig },
): Promise<readonly AskedSentinel[]> {
  const asked = new Set<string>();
  const answers: Answer[] = [];
  let next = addresses;
  while (next.length > 0) {
    const fresh = distinctAddresses(next).filter((address) => !asked.has(formatAddress(address)));
    for (const address of fresh) asked.add(formatAddress(address));
    const found = await Promise.all(fresh.map((address) => askSentinel(address, { name, access })));
    answers.push(...found);
    next = found.flatMap(({ peers }) => peers);
  }
  const ids = answers.map(({ id }) => id);
  return answers.filter(({ id }, i) => id === undefined || ids.indexOf(id) === i).map((answer) => answer.asked);
}

async function askSentinel(
  address: Address,
  { name, access }: { readonly name: string; readonly access: AccessConfig },
): Promise<Answer> {
  const link = new RedisLink(address, revealAccess(access));
  try {
    const what = `SENTINEL MASTERS at ${formatAddress(address)}`;
    const [myId, reply] = await Promise.all([
      link.call(['SENTINEL', 'MYID'], { timeoutMs }).catch(() => undefined),
      link.call(['SENTINEL', 'MASTERS'], { timeoutMs }),
    ]);
    const id = readId(myId);
    const masters = readFieldsList(reply, what);
    const names = masters.flatMap((fields) => fields.name ?? []);
    const peers = await Promise.all(names.map((master) => readPeers(link, master)));
    const monitored = masters.find((fields) => fields.name === name);
    const asked: AskedSentinel =
      monitored === undefined
        ? { address, state: 'unaware' }
        : { address, state: 'monitors', master: readFieldAddress(monitored, what) };
    return { asked, id, peers: peers.flat() };
  } catch (thrown) {
    const { message: why } = await link.explain(thrown);
    return { asked: { address, state: 'unreachable', why }, id: undefined, peers: [] };
  } finally {
    link.close();
  }
}

/** The other Sentinels of a master; none if it is removed meanwhile. */
async function readPeers(link: RedisLink, master: string): Promise<readonly Address[]> {
  const what = `SENTINEL SENTINELS ${master} at ${formatAddress(link.address)}`;
  const reply = await link.call(['SENTINEL', 'SENTINELS', master], { timeoutMs }).catch(() => []);
  return readFieldsList(reply, what).flatMap((fields) => readPeer(fields)?.address ?? []);
}
