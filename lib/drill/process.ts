import { lookup } from 'node:dns/promises';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { isThisHost } from '../crash/connect-attempt.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';

const timeoutMs = 2_000;
/** TCP_LISTEN (include/net/tcp_states.h). */
const listening = '0A';

/**
 * The id of the process of a master, if it is on this node: the master's address is one of this host, the server names the process
 * in INFO, and that process listens on the server's port. Another host of the same image can have the same id and port.
 * Throws `failover-refused` where that is not proven, as on another node, with too few rights, or for a replica.
 */
export async function findProcess(master: Address, access: RedisAccess): Promise<number> {
  if (!(await isHere(master))) throw refusal(master);
  const link = new RedisLink(master, access);
  try {
    const info = String(await link.call(['INFO', 'server'], { timeoutMs }));
    const pid = Number(/^process_id:(\d+)\r?$/m.exec(info)?.[1]);
    // Behind an address translation, the process listens on the port that it names itself.
    const port = Number(/^tcp_port:(\d+)\r?$/m.exec(info)?.[1]);
    const ports = [master.port, port].filter((one) => one > 0);
    const isProven = Number.isSafeInteger(pid) && pid > 1 && (await listensOn(pid, ports));
    const answer = await link.role({ timeoutMs });
    if (isProven && answer.role === 'master') return pid;
  } finally {
    link.close();
  }
  throw refusal(master);
}

function refusal(master: Address): SwitchmasterError {
  const message =
    `no process of this node is proven to be the master ${formatAddress(master)}. ` +
    'Run the drill on the node of the master, as root or as the user of Redis, with INFO permitted to the user of switchmaster there';
  return new SwitchmasterError('failover-refused', message);
}

/** Whether each address of the master's host is one of this host. */
async function isHere({ host }: Address): Promise<boolean> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.length > 0 && found.every(({ address }) => isThisHost(address));
}

async function listensOn(pid: number, ports: readonly number[]): Promise<boolean> {
  try {
    const own = await socketsOf(pid);
    const tables = await Promise.all(
      ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
    );
    return tables.some((table) => listenersIn(table).some(({ port, inode }) => ports.includes(port) && own.has(inode)));
  } catch {
    // There is no such process, or this user may not read its state.
    return false;
  }
}

async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const targets = (await readdir(folder)).map((name) => readlink(`${folder}/${name}`).catch(() => ''));
  const inodes = (await Promise.all(targets)).map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]);
  return new Set(inodes.filter((inode) => inode !== undefined));
}

/** Reads lines of proc_net_tcp(5): number, local address, remote address, state, four fields, timeout, inode. */
function listenersIn(table: string): readonly { readonly port: number; readonly inode: string }[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === listening ? [{ port: Number.parseInt(local.split(':').at(-1) ?? '', 16), inode }] : [];
  });
}
