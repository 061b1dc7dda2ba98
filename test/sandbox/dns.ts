import { Resolver } from 'node:dns/promises';
import { type Address, formatAddress } from '../../lib/model/address.ts';

export type SrvAnswer = { target: string; port: number };

const timeoutMs = 5_000;

/** The addresses of a name, sorted; empty if there are none. Rejects if the server does not answer. */
export async function dnsA(server: Address, name: string): Promise<string[]> {
  const addresses = await answered(resolver(server).resolve4(name));
  return addresses.sort();
}

/** Host names and ports of a name, sorted; empty if there are none. */
export async function dnsSrv(server: Address, name: string): Promise<SrvAnswer[]> {
  const answers = await answered(resolver(server).resolveSrv(name));
  return answers
    .map(({ name: target, port }) => ({ target, port }))
    .sort((a, b) => a.target.localeCompare(b.target) || a.port - b.port);
}

function resolver(server: Address): Resolver {
  const made = new Resolver({ timeout: timeoutMs, tries: 1 });
  made.setServers([formatAddress(server)]);
  return made;
}

async function answered<T>(query: Promise<T[]>): Promise<T[]> {
  try {
    return await query;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
