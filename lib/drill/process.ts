import { readdir, readFile, readlink } from 'node:fs/promises';
import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';

const timeoutMs = 2_000;
/** TCP_LISTEN (include/net/tcp_states.h). */
const listening = '0A';

/**
 * The id of the process that serves a Redis, if it is on this node: the server names it in INFO, and it listens on the server's port.
 * Throws `failover-refused` where that is not proven, as on another node or with too few rights.
 */
export async function findProcess(master: Address, access: RedisAccess): Promise<number> {
  const link = new RedisLink(master, access);
  try {
    const info = String(await link.call(['INFO', 'server'], { timeoutMs }));
    const pid = Number(/^process_id:(\d+)\r?$/m.exec(info)?.[1]);
    // Behind an address translation, the process listens on the port that it names itself.
    const port = Number(/^tcp_port:(\d+)\r?$/m.exec(info)?.[1]);
    const ports = [master.port, port].filter((one) => one > 0);
    if (Number.isSafeInteger(pid) && pid > 1 && (await listensOn(pid, ports))) return pid;
  } finally {
    link.close();
  }
  const message =
    `no process of this node is proven to be ${formatAddress(master)}. ` +
    'Run the drill on the node of the master, as root or as the user of Redis, with INFO permitted to the user of sentinel.redis';
  throw new SwitchmasterError('failover-refused', message);
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
