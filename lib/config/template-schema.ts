import { basename } from 'node:path';
import * as z from 'zod';
import { templateFormats } from '../template/format.ts';
import { duration } from './duration.ts';
import { execSettings } from './exec-schema.ts';
import { endpoint, filePath, redisAccess, text } from './shared-schema.ts';

/** A program and its arguments. No shell reads them. */
const argv = z.array(z.string()).min(1, 'needs a program').meta({ is: 'list of words' });
const timeout = duration({ minMs: 100, maxMs: 3_600_000 });
/** Of checks and reload commands, in milliseconds. */
const defaultTimeoutMs = 30_000;
const plainCommand = argv.transform((words) => ({ argv: words, timeoutMs: defaultTimeoutMs }));
const command = z
  .union([
    plainCommand,
    z
      .strictObject({ command: argv, timeout: timeout.default(defaultTimeoutMs) })
      .transform((given) => ({ argv: given.command, timeoutMs: given.timeout })),
  ])
  .meta({ is: 'command' });

const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGWINCH'] as const;
const signal = z.enum(signals).meta({ is: 'signal' });

const supervised = z.strictObject({
  command: plainCommand,
  onChange: z
    .enum(['restart', ...signals])
    .meta({ is: '`restart` or a signal' })
    .default('restart'),
  stopSignal: signal.default('SIGTERM'),
  stopTimeout: duration({ minMs: 0, maxMs: 3_600_000 }).default(10_000),
});
const supervise = z
  .union([argv.transform((words) => supervised.parse({ command: words })), supervised])
  .meta({ is: 'list of words or map' });
export type RawSupervise = z.output<typeof supervise>;

/** Of HAProxy's runtime API. */
const socketOrAddress = text.meta({ is: 'path or address' });

/** One object for all kinds, so that the message about a mistake in one kind names that mistake. */
const reloadMap = z
  .strictObject({
    command: argv.optional(),
    timeout: timeout.optional(),
    /** The HAProxy in front of a consumer that restarts. */
    drain: z
      .strictObject({
        socket: socketOrAddress,
        servers: z
          .array(
            z
              .string()
              .regex(/^[\w.:-]+\/[\w.:-]+$/, 'must be backend/server')
              .meta({ is: '`backend/server`' }),
          )
          .min(1),
        timeout: duration({ minMs: 0, maxMs: 3_600_000 }).default(5_000),
      })
      .optional(),
    signal: signal.optional(),
    pidFile: filePath.optional(),
    /** `socket` is a path, or the address of `stats socket ipv4@...`. */
    haproxy: z
      .strictObject({ socket: socketOrAddress, master: socketOrAddress.optional(), fallback: command })
      .optional(),
    supervise: supervise.optional(),
  })
  .superRefine((given, context) => {
    const { command: argv, signal: name, haproxy, supervise: program, pidFile, timeout: limit, drain } = given;
    const kinds = [argv, name, haproxy, program].filter((kind) => kind !== undefined).length;
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    if (kinds !== 1) wrong('must have one of command, signal, haproxy and supervise');
    if ((name === undefined) !== (pidFile === undefined)) wrong('must have signal and pidFile together');
    if (limit !== undefined && argv === undefined) wrong('has a timeout, but no command');
    if (drain !== undefined && argv === undefined) wrong('has drain, but no command');
  })
  .transform((given) => ({ ...given, timeout: given.timeout ?? defaultTimeoutMs }));
const reload = z
  .union([argv.transform((words) => reloadMap.parse({ command: words })), reloadMap])
  .meta({ is: 'command or map' });
export type RawReload = z.output<typeof reload>;

const redisProbe = z.strictObject({
  address: endpoint,
  /** The name of the master that must answer at the address. */
  master: text.meta({ is: "master's name" }).optional(),
  ...redisAccess.shape,
});
export type RawRedisProbe = z.output<typeof redisProbe>;

const verify = z.strictObject({
  redis: z
    .union([endpoint, redisProbe, z.array(redisProbe).min(1)])
    .meta({ is: 'address, path of a socket, map, or list of maps' })
    .optional(),
  tcp: endpoint.optional(),
  http: z
    .url({ protocol: /^https?$/ })
    .refine(hasNoUser, 'must not contain a user or a password')
    .meta({ is: 'URL' })
    .optional(),
  command: argv.optional(),
  deadline: duration({ minMs: 100, maxMs: 600_000 }).default(5_000),
});
export type RawVerify = z.output<typeof verify>;

/** As chmod takes it: `0640`, quoted or not. YAML reads a bare 0640 as six hundred and forty. */
const fileMode = z
  .union([z.string(), z.int()])
  .transform((value, context) => {
    const digits = String(value);
    if (/^(?:0o)?0?[0-7]{3}$/.test(digits)) return Number.parseInt(digits.replace('0o', ''), 8);
    context.addIssue({ code: 'custom', message: `${digits} is not a file mode`, params: { hint: 'write "0640"' } });
    return z.NEVER;
  })
  .meta({ is: 'file mode, `"0640"`' });

/** A user or a group. */
const account = z.union([text, z.int().min(0)]).meta({ is: 'name or number' });

/** A tag may contain other punctuation itself. */
const delimiter = z
  .string()
  .regex(/^[[\]<>{}%$@?^*+:;,&]{2}$/, 'must be two characters of []<>{}%$@?^*+:;,&')
  .meta({ is: 'two characters' });

const templateSettings = z.strictObject({
  source: text.meta({ is: 'name or path' }).optional(),
  /** The template itself, instead of a source. */
  contents: text.optional(),
  destination: filePath,
  /** Create the folders above the destination. */
  createDestDirs: z.boolean().default(false),
  format: z.enum(templateFormats).optional(),
  vars: z.record(z.string(), z.json()).meta({ is: 'map' }).default({}),
  /** Of tags, instead of braces. */
  delimiters: z.strictObject({ left: delimiter, right: delimiter }).optional(),
  /** Helpers that the template may not call. */
  functionDenylist: z.array(text.meta({ is: 'name' })).optional(),
  /** The folder from which the helper `file` may read. */
  sandboxPath: filePath.optional(),
  check: command.optional(),
  reload: reload.optional(),
  verify: verify.optional(),
  exec: execSettings.optional(),
  wait: z.strictObject({ min: duration({ minMs: 0 }), max: duration({ minMs: 0 }) }).default({ min: 100, max: 2_000 }),
  guard: z
    .strictObject({
      minServers: z.int().min(0).optional(),
      maxLoss: z.number().min(0).max(1).default(1),
      onEmpty: z.enum(['hold', 'follow']).default('hold'),
    })
    .default({ maxLoss: 1, onEmpty: 'hold' }),
  rolling: z.strictObject({ limit: z.int().min(1), group: text.optional() }).optional(),
  /** The consumer owns the file once it exists. */
  seed: z.boolean().default(false),
  /** Keep aside and replace a file that switchmaster did not write. */
  adopt: z.boolean().default(false),
  /** Keep the former file as NAME.bak. */
  backup: z.boolean().default(false),
  /** Name the writer and the template in the first line, where the format has comments. */
  header: z.boolean().default(true),
  /** For a single file that is mounted into a container. */
  inPlace: z.boolean().default(false),
  mode: fileMode.optional(),
  owner: account.optional(),
  group: account.optional(),
});

/** Whether a template renders Sentinel's own config file. */
export function isSentinelConf({ source = '' }: { readonly source?: string | undefined }): boolean {
  return basename(source) === 'sentinel.conf.hbs';
}

/** consul-template's defaults. */
function isBraces(delimiters?: { readonly left: string; readonly right: string }): boolean {
  return delimiters?.left === '{{' && delimiters.right === '}}';
}

/** Sentinel's config file holds passwords of Redis. */
const template = templateSettings
  .superRefine(({ source, contents }, context) => {
    const report = (key: string, message: string, hint: string) =>
      context.addIssue({ code: 'custom', path: [key], message, params: { hint } });
    if (source === undefined && contents === undefined)
      report('source', 'is missing: a string', 'name a bundled template or a file, or write the template as contents');
    if (source !== undefined && contents !== undefined)
      report('contents', 'cannot be combined with source', 'leave one of them out');
  })
  .transform((given) => ({
    ...given,
    delimiters: isBraces(given.delimiters) ? undefined : given.delimiters,
    mode: given.mode ?? (isSentinelConf(given) ? 0o600 : undefined),
  }));
export type RawTemplate = z.output<typeof template>;

export const templatesSection = z.array(template);

/** No request goes to such a URL (WHATWG Fetch, 5.4). */
function hasNoUser(url: string): boolean {
  // What is no URL has been reported already.
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' };
  return username === '' && password === '';
}
