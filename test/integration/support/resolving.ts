import { createSocket } from 'node:dgram';
import type { Address } from '../../../lib/model/address.ts';

/** One run of equal answers: the addresses of a name, sorted; empty where the name has none. */
interface DnsAnswer {
  readonly addresses: readonly string[];
  /** Milliseconds since 1970 of the first and the last of them. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DnsSampler {
  /** Answers as they changed. A server that does not answer, or answers SERVFAIL, adds nothing. */
  readonly seen: readonly DnsAnswer[];
  readonly count: number;
  stop(): void;
}

const intervalMs = 5;

/** Sends an A query of `name` over UDP every 5 ms, without waiting for the answer to the one before. */
export function sampleDns(t: { teardown(fn: () => void): unknown }, server: Address, name: string): DnsSampler {
  const socket = createSocket('udp4');
  const seen: { addresses: readonly string[]; fromMs: number; toMs: number }[] = [];
  let count = 0;
  let id = 0;
  socket.on('error', () => {});
  socket.on('message', (packet) => {
    const addresses = readAnswer(packet);
    if (addresses === undefined) return;
    count += 1;
    const last = seen.at(-1);
    const nowMs = Date.now();
    if (last !== undefined && last.addresses.join() === addresses.join()) last.toMs = nowMs;
    else seen.push({ addresses, fromMs: nowMs, toMs: nowMs });
  });
  const timer = setInterval(() => {
    id = (id + 1) % 65_536;
    socket.send(makeQuery(name, id), server.port, server.host);
  }, intervalMs);
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    clearInterval(timer);
    socket.close();
  };
  t.teardown(stop);
  return {
    seen,
    get count() {
      return count;
    },
    stop,
  };
}

/** RFC 1035, 4.1: a header with one question of type A, class IN. */
function makeQuery(name: string, id: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

const nameError = 3;

/** undefined for an answer that is neither an answer nor `no such name`. */
function readAnswer(packet: Buffer): readonly string[] | undefined {
  const code = packet.readUInt8(3) & 15;
  if (code !== 0 && code !== nameError) return undefined;
  const addresses: string[] = [];
  let at = skipName(packet, 12) + 4;
  for (let left = packet.readUInt16BE(6); left > 0; left -= 1) {
    at = skipName(packet, at);
    const size = packet.readUInt16BE(at + 8);
    if (packet.readUInt16BE(at) === 1) addresses.push(packet.subarray(at + 10, at + 10 + size).join('.'));
    at += 10 + size;
  }
  return addresses.sort();
}

/** The offset behind a name, which ends with a zero or with a pointer of two bytes. */
function skipName(packet: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const length = packet.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 192) return at + 2;
    at += length + 1;
  }
}
