import type { AccessConfig } from './model.ts';
import type { Path } from './problem.ts';
import type { Resolution } from './resolution.ts';
import type { RawAccess } from './shared-schema.ts';
import { resolveTls } from './tls.ts';

/** User name, password and TLS of a section. The password comes from its file, or from the variable. */
export async function resolveAccess(
  resolution: Resolution,
  given: { readonly raw: RawAccess; readonly at: Path; readonly variable: string },
): Promise<AccessConfig> {
  const { raw, at } = given;
  const password =
    raw.passwordFile === undefined
      ? resolution.secretVariable(given.variable)
      : await resolution.readSecret(raw.passwordFile, { at: [...at, 'passwordFile'] });
  if (raw.username !== undefined && raw.passwordFile === undefined && password === undefined) {
    const hint = `set passwordFile, or ${given.variable} in the environment`;
    resolution.report({ at: [...at, 'username'] }, { message: 'has no password', hint });
  }
  const tls = await resolveTls(resolution, { raw: raw.tls, at: [...at, 'tls'] });
  return {
    ...(raw.username === undefined ? {} : { username: raw.username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
}
