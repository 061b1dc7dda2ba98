import type { Resolution, Setting } from './resolution.ts';
import type { Secret } from './secret.ts';

/** What a token may have: what a header of HTTP can carry, and for `bearer` (RFC 6750, 2.1) no space. */
const sendable = {
  header: { pattern: /^[\x20-\x7e]{1,4096}$/, means: 'is one line of printable ASCII' },
  bearer: { pattern: /^[\x21-\x7e]{1,4096}$/, means: 'is one word of printable ASCII' },
} as const;

/** What keeps a token from being sent, and so from ever being accepted; undefined if nothing does. */
export function tokenProblem(
  token: string,
  carrier: keyof typeof sendable,
): { readonly message: string; readonly hint: string } | undefined {
  const { pattern, means } = sendable[carrier];
  if (pattern.test(token)) return undefined;
  const hint = 'write another token, such as the output of `openssl rand -hex 32`';
  const forConsul = 'write the SecretID of the token alone';
  const message = `no request can carry this token: a token ${means}, of at most 4096 characters`;
  return { message, hint: carrier === 'bearer' ? hint : forConsul };
}

/** Reports a token that no request can carry. */
export function checkToken(
  resolution: Resolution,
  {
    token,
    setting,
    carrier,
  }: {
    readonly token: Secret | undefined;
    readonly setting: Setting;
    readonly carrier: keyof typeof sendable;
  },
): void {
  const problem = token === undefined ? undefined : tokenProblem(token.reveal(), carrier);
  if (problem !== undefined) resolution.report(setting, problem);
}
