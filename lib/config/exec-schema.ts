import * as z from 'zod';
import { isDaemonSecret } from '../model/program-env.ts';
import { duration } from './duration.ts';
import { text } from './shared-schema.ts';

/* What the programs of a template get, as consul-template's `exec` says it. */

/** Patterns of names of variables. */
const patterns = z
  .array(
    text
      .regex(/^[^[\]\\=]*$/, 'must be a name of a variable, in which * and ? are the only signs with a meaning')
      .meta({ is: 'pattern' }),
  )
  .default([]);

const variable = z.union([z.string(), z.number(), z.boolean()]);
const assignment = z.string().regex(/^[^=]+=/, 'must be NAME=value');

/** `$NAME`, alone or in a list with colons, and `${NAME}`: nothing replaces them. */
const reference = /\$\{\w[^}]*\}|(?<=^|:)\$[A-Za-z_]\w*(?=$|:)/;

const custom = z
  .union([z.record(z.string(), variable), z.array(assignment)])
  .meta({ is: 'map, or list of `NAME=value`' })
  .default({})
  .transform((given, context) => {
    const entries = Array.isArray(given) ? given.map(splitAssignment) : Object.entries(given);
    for (const [name, value] of entries) {
      const path = Array.isArray(given) ? [entries.findIndex(([other]) => other === name)] : [name];
      const report = (message: string, hint: string) =>
        context.addIssue({ code: 'custom', path, message, params: { hint } });
      if (!/^[^=\0]+$/.test(name) || /\0/.test(String(value)))
        report('is no variable of an environment', 'write NAME: value');
      const [found] = reference.exec(String(value)) ?? [];
      if (found !== undefined) report(`${found} is not replaced in the config`, 'write the whole value');
    }
    return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
  });

const env = z
  .strictObject({ pristine: z.boolean().default(false), custom, allowlist: patterns, denylist: patterns })
  .superRefine(({ pristine, allowlist, denylist }, context) => {
    const report = (path: (string | number)[], message: string, hint: string) =>
      context.addIssue({ code: 'custom', path, message, params: { hint } });
    for (const [i, name] of allowlist.entries()) {
      if (!isDaemonSecret(name)) continue;
      report(
        ['allowlist', i],
        `${name} is a secret of the daemon, which no program gets`,
        'give the program a file to read',
      );
    }
    for (const [key, list] of Object.entries({ allowlist, denylist })) {
      if (pristine && list.length > 0)
        report([key], 'has no effect with pristine: true', 'leave one of them out; custom has all variables then');
    }
  });

export const execSettings = z.strictObject({ splay: duration({ minMs: 0 }).default(0), env: env.optional() });

function splitAssignment(assigned: string): [string, string] {
  const at = assigned.indexOf('=');
  return [assigned.slice(0, at), assigned.slice(at + 1)];
}
