import { z } from 'zod';
import { templateFormats } from '../template/format.ts';
import { duration } from './duration.ts';

const text = z.string().min(1, 'must not be empty');

/** A program and its arguments: never a shell's line. */
const argv = z.array(z.string()).min(1, 'needs a program');

const command = z.union([
  argv,
  z.strictObject({ command: argv, timeout: duration({ minMs: 100, maxMs: 3_600_000 }).optional() }),
]);

/** As chmod takes it: `0640`, quoted or not. YAML reads a bare 0640 as six hundred and forty. */
const fileMode = z.union([z.string(), z.int()]).transform((value, context) => {
  const digits = String(value);
  if (/^(?:0o)?0?[0-7]{3}$/.test(digits)) return Number.parseInt(digits.replace('0o', ''), 8);
  context.addIssue({ code: 'custom', message: `${digits} is not a file mode`, params: { hint: 'write "0640"' } });
  return z.NEVER;
});

const template = z.strictObject({
  source: text,
  destination: text,
  format: z.enum(templateFormats).optional(),
  vars: z.record(z.string(), z.json()).default({}),
  check: command.optional(),
  reload: command.optional(),
  mode: fileMode.optional(),
  owner: z.union([text, z.int().min(0)]).optional(),
  group: z.union([text, z.int().min(0)]).optional(),
});
export type RawTemplate = z.output<typeof template>;

export const templatesSection = z.array(template);
