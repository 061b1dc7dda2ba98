import { type Endpoint, exchangeOverSocket, SocketExchangeError } from '../../client/socket-exchange.ts';
import { SwitchmasterError } from '../../errors.ts';

/** A server as the runtime API is asked about it and told of it. */
export interface RuntimeServer {
  readonly backend: string;
  readonly server: string;
}

export interface RuntimeServerState extends RuntimeServer {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly state: 'ready' | 'maint';
}

const timeoutMs = 2_000;

/**
 * HAProxy's runtime API (management guide, 9.3), as 2.6 and 3.x have it. Each call is a connection of its own: after a
 * reload the path belongs to another process. Answers are not read for success, for they are prose: {@link readServers}
 * tells what holds.
 */
export class HaproxyRuntime {
  readonly #socket: Endpoint;

  constructor(socket: Endpoint) {
    this.#socket = socket;
  }

  /** Sends commands in one line, which HAProxy carries out in order, and returns what it says. */
  async send(commands: readonly string[], signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    for (const command of commands) {
      if (/[\n;]/.test(command)) {
        throw new SwitchmasterError('internal', `This is not one command of HAProxy: ${JSON.stringify(command)}`);
      }
    }
    return exchange({ socket: this.#socket, request: `${commands.join(';')}\n`, signal });
  }

  /** Every server as the running process has it. Throws `reload-failed` where it does not say. */
  async readServers(signal: AbortSignal): Promise<readonly RuntimeServerState[]> {
    return parseServers(await this.send(['show servers state'], signal));
  }

  /** Current sessions by `backend/server`. */
  async countSessions(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const [header = '', ...lines] = (await this.send(['show stat -1 4 -1'], signal)).split('\n');
    const at = header.replace(/^# /, '').split(',').indexOf('scur');
    const rows = lines.map((line) => line.split(',')).filter((fields) => fields.length > at && at > 0);
    return new Map(rows.map((fields) => [`${fields[0]}/${fields[1]}`, Number(fields[at])]));
  }
}

async function exchange(input: { socket: Endpoint; request: string; signal: AbortSignal }): Promise<string> {
  const { socket, request, signal } = input;
  try {
    return await exchangeOverSocket({ to: socket, request, until: 'closed', timeoutMs, signal });
  } catch (thrown) {
    if (!(thrown instanceof SocketExchangeError)) throw thrown;
    const where = typeof socket === 'string' ? socket : `${socket.host}:${socket.port}`;
    const hint = 'Is it running, with "stats socket ... level admin" at this path?';
    throw new SwitchmasterError('reload-failed', `HAProxy's socket ${where} ${thrown.message}. ${hint}`, {
      cause: thrown,
    });
  }
}

/** The columns are found by the names in the second line, for later versions add some. */
function parseServers(text: string): readonly RuntimeServerState[] {
  const [version, header, ...lines] = text.split('\n');
  const columns = header?.replace(/^# /, '').split(' ') ?? [];
  const at = (name: string) => columns.indexOf(name);
  if (version !== '1' || at('srv_addr') < 0 || at('srv_port') < 0) {
    const message = `HAProxy's "show servers state" is not of the known form: ${text.slice(0, 100)}`;
    throw new SwitchmasterError('reload-failed', message);
  }
  return lines
    .map((line) => line.split(' '))
    .filter((words) => words.length >= columns.length)
    .map((words) => ({
      backend: words[at('be_name')] ?? '',
      server: words[at('srv_name')] ?? '',
      host: words[at('srv_addr')] ?? '',
      port: Number(words[at('srv_port')]),
      weight: Number(words[at('srv_uweight')]),
      // Bit 0 is maintenance, asked for by the config or here (SRV_ADMF_FMAINT, include/haproxy/server-t.h).
      state: (Number(words[at('srv_admin_state')]) & 1) === 0 ? 'ready' : 'maint',
    }));
}
