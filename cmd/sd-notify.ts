import { type ChildProcess, spawn } from 'node:child_process';

/*
 * systemd's notifications (sd_notify(3)): readiness, reloads, the status line, the watchdog. Node.js has no datagram sockets of
 * the Unix kind, so `systemd-notify` sends them. A shell starts it for each line that it reads: a line costs the event loop one
 * write to a pipe, and no start of a process. The shell answers each line that is sent. A service manager that does not answer holds
 * nothing up.
 */

export interface ServiceManager {
  /** The daemon works, also again after a reload. Begins the answers to the watchdog. */
  ready(): void;
  reloading(): void;
  stopping(): void;
  close(): void;
}

interface Reports {
  /** What `systemctl status` shows. */
  readonly status: () => string;
  readonly onFailure: (cause: Error) => void;
}

interface SystemdOptions extends Reports {
  readonly env: NodeJS.ProcessEnv;
  /** Undefined without a watchdog. */
  readonly beatMs: number | undefined;
}

const program = 'while IFS="\t" read -r state status; do systemd-notify "$state" "STATUS=$status" >&2; echo; done';

/** No beat of the watchdog is missed where one takes some seconds. */
const beatsPerLimit = 3;

const longestStatus = 200;

/**
 * The service manager that started this process. The programs that switchmaster starts must not notify it in this process's
 * name, as HAProxy does where it finds the variable, so they are taken out of the environment.
 */
export function takeServiceManager(environment: NodeJS.ProcessEnv, options: Reports): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (socket === undefined || socket === '') return nobody;
  const isForThis = pid === undefined || pid === String(process.pid);
  const limitMs = isForThis && limit !== undefined ? Number(limit) / 1_000 : 0;
  const env = { ...environment, NOTIFY_SOCKET: socket };
  return new Systemd({ ...options, env, beatMs: limitMs > 0 ? limitMs / beatsPerLimit : undefined });
}

const nobody: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  close: () => undefined,
};

class Systemd implements ServiceManager {
  readonly #options: SystemdOptions;
  #sender: ChildProcess | undefined;
  /** Lines that the sender has not answered. */
  #unsent = 0;
  #beats: NodeJS.Timeout | undefined;

  constructor(options: SystemdOptions) {
    this.#options = options;
  }

  ready(): void {
    this.#send('READY=1', this.#options.status());
    const { beatMs } = this.#options;
    if (beatMs === undefined) return;
    this.#beats ??= setInterval(() => this.#beat(), beatMs).unref();
  }

  reloading(): void {
    this.#send('RELOADING=1', 'reloading');
  }

  stopping(): void {
    this.#send('STOPPING=1', 'stopping');
  }

  close(): void {
    clearInterval(this.#beats);
    this.#sender?.stdin?.end();
  }

  #beat(): void {
    // Beats that are sent late would hide that the event loop stands still.
    if (this.#unsent > 0) return;
    this.#send('WATCHDOG=1', this.#options.status());
  }

  #send(state: string, status: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: names come from servers, and a line must stay one line
    const text = status.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, longestStatus);
    try {
      this.#sender ??= this.#startSender();
    } catch (cause) {
      // As without memory.
      this.#options.onFailure(cause as Error);
      return;
    }
    this.#unsent += 1;
    this.#sender.stdin?.write(`${state}\t${text}\n`);
  }

  /** Without it, the next line starts another. */
  #startSender(): ChildProcess {
    const { env } = this.#options;
    const sender: ChildProcess = spawn('/bin/sh', ['-c', program], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const forget = (): void => {
      if (this.#sender !== sender) return;
      this.#sender = undefined;
      this.#unsent = 0;
    };
    sender.on('exit', forget).on('error', (cause) => {
      forget();
      this.#options.onFailure(cause);
    });
    sender.stdin?.on('error', forget);
    sender.stdout?.on('data', (answers: Buffer) => {
      if (this.#sender === sender) this.#unsent -= answers.length;
    });
    sender.unref();
    for (const pipe of [sender.stdin, sender.stdout]) (pipe as unknown as { unref?(): void } | null)?.unref?.();
    return sender;
  }
}
