import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Both ends of a TCP connection, as `host:port`. */
export interface Connection {
  readonly local: string;
  readonly remote: string;
}

/** The number of open file descriptors, and the established IPv4 connections among them (Linux: `/proc/PID/fd`, `/proc/PID/net/tcp`). */
export function openFiles(pid: number): { readonly descriptors: number; readonly connections: readonly Connection[] } {
  const folder = `/proc/${pid}`;
  const links = readdirSync(`${folder}/fd`).map((fd) => linkOf(`${folder}/fd/${fd}`));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const connections = readFileSync(`${folder}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '01' && inodes.has(fields[9]))
    .map(([, local = '', remote = '']) => ({ local: parseHex(local), remote: parseHex(remote) }));
  return { descriptors: links.length, connections };
}

/** A descriptor may be closed while the others are read. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** `0100007F:1F90` is 127.0.0.1:8080: the address is little-endian. */
function parseHex(text: string): string {
  const [host = '', port = ''] = text.split(':');
  const bytes = Buffer.from(host, 'hex').reverse();
  return `${bytes.join('.')}:${Number.parseInt(port, 16)}`;
}
