import type { Resolution, Setting } from './resolution.ts';
import type { Secret } from './secret.ts';

/** What a token may have: what a header of HTTP can carry, and for `bearer` (RFC 6750, 2.1) no space. */
const sendable = {
  header: { pattern: /^[\x20-\x7e]{1,4096}$/, means: 'is one line of printable ASCII' },
  bearer: { pattern: /^[\x21-\x7e]{1,4096}$/, means: 'is one word of printable ASCII' },
} as const;

/** Reports a token that no request can carry, so that it would never be accepted. */
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
  const { pattern, means } = sendable[carrier];
  if (token === undefined || pattern.test(token.reveal())) return;
  const hint = 'write another token, such as the output of `openssl rand -hex 32`';
  const forConsul = 'write the SecretID of the token alone';
  const message = `no request can carry this token: a token ${means}, of at most 4096 characters`;
  resolution.report(setting, { message, hint: carrier === 'bearer' ? hint : forConsul });
}
