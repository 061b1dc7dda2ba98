import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { Address } from '../lib/model/address.ts';

/** User and system time in milliseconds; Linux counts in hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MiB: now, and the most since the last `resetPeak`. */
export function residentMib(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1_024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The number of open file descriptors, and the remote ends of the established IPv4 connections among them. */
export function openFiles(pid: number): { readonly descriptors: number; readonly remotes: readonly Address[] } {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`));
  const inodes = new Set(targets.map((target) => /^socket:\[(\d+)]$/.exec(target)?.[1]));
  const connections = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  const remotes = connections
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '01' && inodes.has(inode))
    .map(([, , remote = '']) => parseRemote(remote));
  return { descriptors: targets.length, remotes };
}

/** Empty where it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** `0100007F:1F90` is 127.0.0.1:8080: Linux prints the address as a little-endian number. */
function parseRemote(text: string): Address {
  const [host = '', port = ''] = text.split(':');
  const octets = [6, 4, 2, 0].map((start) => Number.parseInt(host.slice(start, start + 2), 16));
  return { host: octets.join('.'), port: Number.parseInt(port, 16) };
}
