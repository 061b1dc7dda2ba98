import { isSameSecret } from '../model/same-secret.ts';
import type { Client } from './client.ts';
import { ErrorReply, ok, type Reply } from './resp/reply.ts';

interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface AccessOptions {
  /** Who may read. Without it everybody may, as at a Sentinel without `requirepass`. */
  readonly reader?: Credentials;
  /** Who may also order failovers. Without it nobody may. */
  readonly operator?: Credentials;
}

/** Checks the credentials of AUTH and HELLO, in constant time. */
export class Access {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  get firstUser(): 'nobody' | 'reader' {
    return this.#options.reader === undefined ? 'reader' : 'nobody';
  }

  /** `AUTH password` or `AUTH username password`. */
  authenticate(client: Client, args: readonly string[]): Reply {
    if (args.length > 2) return new ErrorReply('ERR syntax error');
    const { reader, operator } = this.#options;
    if (args.length === 1 && reader === undefined) return noPassword;
    const [username, password] = args.length === 1 ? ['default', args[0]] : args;
    const given = { username: username ?? '', password: password ?? '' };
    if (reader === undefined && given.username === 'default') return ok;
    const user = matches(given, operator) ? 'operator' : matches(given, reader) ? 'reader' : undefined;
    if (user === undefined) return new ErrorReply('WRONGPASS invalid username-password pair or user is disabled.');
    client.user = user;
    return ok;
  }
}

const noPassword = new ErrorReply(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);

/** Both comparisons are always made. */
function matches(given: Credentials, wanted: Credentials | undefined): boolean {
  const name = isSameSecret(given.username, wanted?.username ?? '');
  const password = isSameSecret(given.password, wanted?.password ?? '');
  return wanted !== undefined && name && password;
}
