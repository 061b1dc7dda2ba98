import { RedisLink } from '../client/redis.ts';
import { isRefusal } from '../client/redis-errors.ts';
import { type Fields, readFieldsList, readId, readPeer } from '../client/sentinel-shapes.ts';
import type { AccessConfig } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, distinctAddresses, formatAddress, toAddress } from '../model/address.ts';
import { type LinkFault, linkFaults } from '../model/link-fault.ts';
import type { AskedSentinel } from './plan/snapshot.ts';

const timeoutMs = 2_000;

interface Answer {
  readonly asked: AskedSentinel;
  readonly id: string | undefined;
  readonly peers: readonly Address[];
}

/**
 * Asks these Sentinels and those that they know whether they monitor `name`. A process that several addresses reach is in the
 * answer once. Copied Sentinels have one id, so each answer that differs counts.
 */
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
  return distinctAnswers(answers).map(({ asked }) => asked);
}

function distinctAnswers(answers: readonly Answer[]): readonly Answer[] {
  const keys = answers.map(({ id, asked }) => JSON.stringify([id, { ...asked, address: undefined }]));
  return answers.filter(({ id }, i) => id === undefined || keys.indexOf(keys[i] ?? '') === i);
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
    const asked = findMaster(masters, { address, name });
    const reading = Promise.all(names.map((master) => readPeers(link, master)));
    const peers = await (asked.state === 'monitors' ? reading.catch(() => []) : reading);
    return { asked, id, peers: peers.flat() };
  } catch (thrown) {
    const error = await link.explain(thrown);
    const state = isAnswer(error) ? 'unreadable' : 'unreachable';
    return { asked: { address, state, why: error.message }, id: undefined, peers: [] };
  } finally {
    link.close();
  }
}

function findMaster(
  masters: readonly Fields[],
  { address, name }: { readonly address: Address; readonly name: string },
): AskedSentinel {
  const monitored = masters.find((fields) => fields.name === name);
  if (monitored === undefined) return { address, state: 'unaware' };
  return { address, state: 'monitors', master: toAddress(monitored.ip, monitored.port) };
}

/** Whether a Sentinel may have answered. A Redis at its former address, which does not know the command, monitors nothing. */
function isAnswer(error: SwitchmasterError): boolean {
  const fault = error.details.fault as LinkFault | undefined;
  if (fault !== undefined) return linkFaults[fault].class !== 'away';
  return isRefusal(error) || error.code === 'redis-answer-invalid';
}

/** The other Sentinels of a master; none if it is removed meanwhile. Rejects if the Sentinel does not list them. */
async function readPeers(link: RedisLink, master: string): Promise<readonly Address[]> {
  const what = `SENTINEL SENTINELS ${master} at ${formatAddress(link.address)}`;
  const reply = await link.call(['SENTINEL', 'SENTINELS', master], { timeoutMs }).catch((thrown) => {
    if (SwitchmasterError.from(thrown).code === 'redis-refused') return [];
    throw thrown;
  });
  return readFieldsList(reply, what).flatMap((fields) => readPeer(fields)?.address ?? []);
}
