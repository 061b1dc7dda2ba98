import { SwitchmasterError } from '../errors.ts';
import { explainFault, isNamed, type LinkFault, linkFaults } from '../model/link-fault.ts';
import { faultOfError, faultOfReply } from './fault.ts';

/**
 * Translates the failure of a connection or a command. `fault` is why the server cannot be used, where that is known by
 * other means than this failure.
 */
export function translateRedisError(
  thrown: unknown,
  context: { readonly what: string; readonly lastError: Error | undefined; readonly fault?: LinkFault | undefined },
): SwitchmasterError {
  const { what } = context;
  const cause = thrown instanceof SwitchmasterError ? thrown.cause : thrown;
  if (isReplyError(cause)) return refusedBy(cause.message, { what, cause });
  const reason = context.lastError ?? cause;
  const fault = context.fault ?? faultOfError(reason ?? {});
  if (fault !== undefined && isNamed(fault)) {
    const code = isDenial(fault) ? 'redis-denied' : 'redis-unreachable';
    const message = `${what} got no answer: the server ${explainFault(fault, answerIn(reason, fault))}`;
    return new SwitchmasterError(code, message, { cause, details: { fault } });
  }
  if (thrown instanceof SwitchmasterError) return thrown;
  const details = fault === undefined ? {} : { fault };
  const why = describeReason(reason, fault);
  return new SwitchmasterError('redis-unreachable', `${what} got no answer: ${why}`, { cause, details });
}

/** Whether the server answered with an error, to this command or to a login. */
export function isRefusal({ code }: SwitchmasterError): boolean {
  return code === 'redis-refused' || code === 'redis-denied';
}

/**
 * Whether the server answered this command with an error, so that it certainly did not carry it out. A server that refuses another
 * connection (`redis-denied`) may have carried it out before.
 */
export function refusesCommand({ code, cause }: SwitchmasterError): boolean {
  return code === 'redis-refused' || (code === 'redis-denied' && isReplyError(cause));
}

function isReplyError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === 'ReplyError';
}

/** That a connection ended, and the message of ioredis about its retries, say nothing of the server. */
function describeReason(reason: unknown, fault: LinkFault | undefined): string {
  if (!(reason instanceof Error)) return String(reason);
  const isAboutEnd = reason.name === 'ClosedError' || reason.name === 'MaxRetriesPerRequestError';
  return isAboutEnd && fault !== undefined ? `the server ${linkFaults[fault].says}` : reason.message;
}

/** What the server said in that failure, where it is short and about that fault. */
function answerIn(reason: unknown, fault: LinkFault): string | undefined {
  if (!(reason instanceof Error) || !denials.has(fault)) return undefined;
  return faultOfReply(reason.message) === fault ? reason.message : undefined;
}

function refusedBy(said: string, { what, cause }: { readonly what: string; readonly cause: unknown }) {
  const fault = faultOfReply(said);
  const code = isDenial(fault) ? 'redis-denied' : 'redis-refused';
  // These texts of Redis are a page long, or name a command where the address is wrong.
  const why =
    fault !== undefined && (refusesEverybody(fault) || linkFaults[fault].class === 'away')
      ? `the server ${explainFault(fault)}`
      : said;
  const details = fault === undefined ? {} : { fault };
  return new SwitchmasterError(code, `${what} was refused: ${why}`, { cause, details });
}

/** Whether a fault means that the server refuses access, and not only an answer for now. */
export function isDenial(fault: LinkFault | undefined): boolean {
  return fault !== undefined && (refusesEverybody(fault) || denials.has(fault));
}

const denials: ReadonlySet<LinkFault> = new Set(['password-missing', 'password-wrong', 'command-denied']);

export function refusesEverybody(fault: LinkFault | undefined): fault is 'protected-mode' | 'clients-limit' {
  return fault === 'protected-mode' || fault === 'clients-limit';
}

/** The server's answer that refuses a login or a command. */
export function refusalIn(thrown: unknown): string | undefined {
  const said = thrown instanceof SwitchmasterError ? thrown.cause : thrown;
  if (!(said instanceof Error)) return undefined;
  const fault = faultOfReply(said.message);
  return isDenial(fault) && !refusesEverybody(fault) ? said.message : undefined;
}

/** By FIN, which is no error, or by RST. A time-out of keep-alive, or a lost route, says nothing about the other side. */
export function isClosedByPeer(error: (Error & { readonly code?: unknown }) | undefined): boolean {
  return error === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
