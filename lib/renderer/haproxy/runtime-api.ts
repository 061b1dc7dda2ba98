import { performance } from 'node:perf_hooks';
import { exchangeOverSocket, SocketExchangeError } from '../../client/socket-exchange.ts';
import { SwitchmasterError } from '../../errors.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../model/address.ts';
import type { ServerState } from './plan.ts';

const timeoutMs = 2_000;
/** For a socket whose process hung just before: a reload sends several lines, and a failover waits for all of them. */
const retryTimeoutMs = 500;
const hangsForMs = 10_000;

/** Until when a process that did not answer counts as hanging, by its socket, in milliseconds of `performance.now()`. */
const hangsUntilMs = new Map<string, number>();

/** What carries commands to one process of HAProxy. */
export interface CommandLine {
  /** Sends commands in one line, which HAProxy carries out in order, and returns its answer. */
  send(commands: readonly string[], signal: AbortSignal): Promise<string>;
}

/**
 * HAProxy's runtime API (management guide, 9.3) as in 2.6 and 3.x. Each call opens a connection: after a reload, the path
 * belongs to another process. Answers are prose and do not say whether a command succeeded; {@link readServers} does.
 */
export class HaproxyRuntime implements CommandLine {
  readonly #socket: Endpoint;

  constructor(socket: Endpoint) {
    this.#socket = socket;
  }

  async send(commands: readonly string[], signal: AbortSignal): Promise<string> {
    return sendLine(this.#socket, { commands, signal });
  }

  /** Current sessions by `backend/server`. */
  async countSessions(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const [header = '', ...lines] = (await this.send(['show stat -1 4 -1'], signal)).split('\n');
    const at = header.replace(/^# /, '').split(',').indexOf('scur');
    const rows = lines.map((line) => line.split(',')).filter((fields) => fields.length > at && at > 0);
    return new Map(rows.map((fields) => [`${fields[0]}/${fields[1]}`, Number(fields[at])]));
  }

  /** See {@link readServers}. */
  readServers(signal: AbortSignal): Promise<readonly ServerState[]> {
    return readServers(this, signal);
  }
}

/** Every server of a process. Throws `reload-failed` when the answer is not of the known form. */
export async function readServers(process: CommandLine, signal: AbortSignal): Promise<readonly ServerState[]> {
  return parseServers(await process.send(['show servers state'], signal));
}

/** Sends one line to a socket of HAProxy and returns the answer. Throws `reload-failed`. */
export async function sendLine(
  socket: Endpoint,
  { commands, signal }: { readonly commands: readonly string[]; readonly signal: AbortSignal },
): Promise<string> {
  signal.throwIfAborted();
  const wrong = commands.find((command) => /[\n;]/.test(command));
  if (wrong !== undefined) {
    throw new SwitchmasterError('internal', `This is not one command of HAProxy: ${JSON.stringify(wrong)}`);
  }
  const where = formatEndpoint(socket);
  try {
    const request = `${commands.join(';')}\n`;
    const exchange = { to: socket, request, until: 'closed', timeoutMs: answerTimeoutMs(socket), signal } as const;
    const answer = await exchangeOverSocket(exchange);
    hangsUntilMs.delete(where);
    return answer;
  } catch (cause) {
    if (!(cause instanceof SocketExchangeError)) throw cause;
    if (cause.reason === 'timeout') hangsUntilMs.set(where, performance.now() + hangsForMs);
    const hint = 'Is HAProxy running, with an admin socket at this path?';
    throw new SwitchmasterError('reload-failed', `HAProxy's socket ${where} ${cause.message}. ${hint}`, { cause });
  }
}

/** How long HAProxy may take to answer at a socket. */
function answerTimeoutMs(socket: Endpoint): number {
  const hangs = performance.now() < (hangsUntilMs.get(formatEndpoint(socket)) ?? 0);
  return hangs ? retryTimeoutMs : timeoutMs;
}

/** Finds the columns by the names in the second line, because later versions add some. */
function parseServers(text: string): readonly ServerState[] {
  const [version, header, ...lines] = text.split('\n');
  const columns = header?.replace(/^# /, '').split(' ') ?? [];
  const at = (name: string) => columns.indexOf(name);
  if (version !== '1' || at('srv_addr') < 0 || at('srv_port') < 0) {
    const message = `HAProxy's "show servers state" has an unknown form: ${text.slice(0, 100)}`;
    throw new SwitchmasterError('reload-failed', message);
  }
  return lines
    .map((line) => line.split(' '))
    .filter((words) => words.length >= columns.length)
    .map((words) => ({
      backend: words[at('be_name')] ?? '',
      server: words[at('srv_name')] ?? '',
      host: canonicalHost(words[at('srv_addr')] ?? ''),
      port: Number(words[at('srv_port')]),
      weight: Number(words[at('srv_uweight')]),
      // Bit 0 is maintenance by the config or by a command (SRV_ADMF_FMAINT, include/haproxy/server-t.h).
      state: (Number(words[at('srv_admin_state')]) & 1) === 0 ? 'ready' : 'maint',
    }));
}
