import type { LinkFault } from '../model/link-fault.ts';

/* Recognizes why a server cannot be used: from its reply, or from the error of the connection. */

/** The beginnings of replies, in Redis 5 to 8 and Valkey (networking.c, acl.c, server.c). */
const replies: readonly (readonly [RegExp, LinkFault])[] = [
  [/^DENIED /, 'protected-mode'],
  [/^ERR max number of clients/, 'clients-limit'],
  [/^(NOAUTH|ERR operation not permitted)/, 'password-missing'],
  [/^(WRONGPASS|ERR AUTH|ERR invalid (username-)?password)/, 'password-wrong'],
  [/^NOPERM/, 'command-denied'],
  [/^LOADING/, 'loading'],
  [/^MASTERDOWN/, 'master-down'],
  [/^BUSY /, 'busy'],
  [/^ERR unknown command [`'"]?SENTINEL\b/i, 'not-sentinel'],
  [/^ERR This instance has cluster support disabled/, 'not-cluster'],
];

/** Codes of system calls, of Node's TLS and of OpenSSL. */
const codes: readonly (readonly [RegExp, LinkFault])[] = [
  [/^(ENOTFOUND|EAI_\w+)$/, 'name-unknown'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|EHOSTDOWN|ENETDOWN|EACCES|EPERM)$/, 'no-route'],
  [/^(ECONNREFUSED|ENOENT)$/, 'not-listening'],
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/, 'certificate-expired'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'certificate-name'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED|INVALID_CA)$/,
    'certificate-unknown',
  ],
  [/^(CERT_\w+|HOSTNAME_MISMATCH)$/, 'certificate-unknown'],
  [/ALERT_CERTIFICATE_REQUIRED/, 'client-certificate-missing'],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/,
    'client-certificate-refused',
  ],
  [
    /(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY)/,
    'tls-version',
  ],
  [/(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST|RECORD_LAYER)/, 'tls-unexpected'],
  // Before TLS 1.3 a server that lacks the client's certificate sends this alert.
  [/ALERT_HANDSHAKE_FAILURE/, 'client-certificate-missing'],
  [/^HPE_/, 'other-protocol'],
  [/^(ETIMEDOUT|ESOCKETTIMEDOUT)$/, 'silent'],
];

/** The fault that an error reply names; undefined for other replies, such as those about the command. */
export function faultOfReply(text: string): LinkFault | undefined {
  return replies.find(([pattern]) => pattern.test(text))?.[1];
}

/** The same for a unix domain socket. Linux answers EAGAIN where too many connections wait for the process. */
const socketCodes: readonly (readonly [RegExp, LinkFault])[] = [
  [/^(ENOENT|ENOTDIR|ELOOP)$/, 'socket-missing'],
  [/^ECONNREFUSED$/, 'socket-stale'],
  [/^(EACCES|EPERM)$/, 'socket-denied'],
  [/^EAGAIN$/, 'silent'],
];

/** The fault that the error of a connection proves; undefined where it only ended, which has many causes. */
export function faultOfError(error: unknown): LinkFault | undefined {
  const { code, message = '', address = '' } = error as ConnectError;
  if (typeof code !== 'string') return undefined;
  // A failed write has OpenSSL's reason in its message alone.
  const text = code === 'EPROTO' ? message.toUpperCase().replaceAll(' ', '_') : code;
  const known = address.startsWith('/') ? [...socketCodes, ...codes] : codes;
  return known.find(([pattern]) => pattern.test(text))?.[1];
}

/** `address` is the host or the path of the socket. */
interface ConnectError {
  readonly code?: unknown;
  readonly message?: string;
  readonly address?: string;
}
