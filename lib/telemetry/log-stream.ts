import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import net from 'node:net';
import type { DestinationStream } from 'pino';

/** How much may wait for a slow reader of a pipe, a terminal or a socket. Lines beyond are lost. */
const maxWaitingBytes = 1024 * 1024;

const retryMs = 50;

/**
 * Writes log lines to a descriptor and never throws, never blocks and never ends the process. A file gets its lines at
 * once. A reader that does not read makes lines wait, up to 1 MiB. What cannot be written is lost and counted.
 */
export class LogStream implements DestinationStream {
  readonly #fd: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** A line was cut in the middle. The next one begins with a newline. */
  #torn = false;
  #lost = 0;

  constructor(fd: number) {
    this.#fd = openNonBlocking(fd);
  }

  /** Lines that were lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === undefined) this.flush();
  }

  /** Writes what waits, as far as that is possible at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let bytes = this.#waiting[0]; bytes !== undefined; bytes = this.#waiting[0]) {
      const written = this.#write(bytes);
      if (written === 'later') {
        this.#timer = setTimeout(() => this.flush(), retryMs).unref();
        return;
      }
      this.#waiting.shift();
      this.#waitingBytes -= bytes.length;
      if (written === 'lost') this.#lost += 1;
    }
  }

  #write(bytes: Buffer): 'written' | 'lost' | 'later' {
    let written = 0;
    try {
      if (this.#torn) writeSync(this.#fd, '\n');
      this.#torn = false;
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
      return 'written';
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EAGAIN') {
        this.#waiting[0] = bytes.subarray(written);
        this.#waitingBytes -= written;
        return 'later';
      }
      // On a disk that is full, a pipe or a terminal that is closed: the next line may find it otherwise.
      this.#torn ||= written > 0;
      return 'lost';
    }
  }
}

/** Sockets whose only use is that they made a descriptor non-blocking. They must not be collected. */
const kept: net.Socket[] = [];

/**
 * A descriptor that writes to the same place and fails with EAGAIN instead of blocking. A pipe and a terminal are opened
 * again: the flag on the inherited descriptor would be a change for the processes that share it. That is not possible
 * for a socket, such as journald's. Files never block.
 */
function openNonBlocking(fd: number): number {
  try {
    const stat = fstatSync(fd);
    if (stat.isFIFO() || stat.isCharacterDevice()) {
      return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    }
    if (stat.isSocket()) {
      const socket = new net.Socket({ fd, readable: false, writable: true });
      kept.push(socket.on('error', () => undefined).unref());
    }
  } catch {
    // Without /proc, or a terminal of another user: write to the descriptor as it is.
  }
  return fd;
}
