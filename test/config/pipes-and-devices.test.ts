import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { configSchema } from '../../lib/config/schema.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { runCommand } from '../cmd/command.ts';
import { Program } from '../cmd/program.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { makeSocketFolder } from '../socket-folder.ts';

/* Every key of the config that names a file, with a pipe, a device, a folder, and files without an end in its place. */

t.setTimeout(240_000);
const folder = t.testdir({ secret: 'secret\n', 'a.conf.hbs': 'text\n', sandbox: {}, folder: {} });
const at = (name: string): string => join(folder, name);
const sockets = makeSocketFolder(t);
const socketAt = (name: string): string => join(sockets, name);
const certificates = new Certificates(at('ca'));
const { certFile, keyFile } = certificates.issue('a.test');
mkdirSync(at('authorities'));
writeFileSync(at('authorities/a.crt'), certificates.ca);
writeFileSync(at('large'), '');
truncateSync(at('large'), 2 ** 40);
execFileSync('mkfifo', [at('fifo'), at('fifo.hbs')]);

const tls = { caFile: certificates.caFile, caPath: at('authorities'), certFile, keyFile };
const serving = { certFile, keyFile, clientCaFile: certificates.caFile };
const template = (reload: object, more: object = {}) => ({ source: at('a.conf.hbs'), reload, ...more });
const access = { username: 'a', passwordFile: at('secret'), tls };

/** Has every key that names a file. */
const complete = {
  pidFile: at('own.pid'),
  consul: { address: 'https://127.0.0.1:9', tokenFile: at('secret'), tls },
  register: [
    { kind: 'haproxy', address: socketAt('haproxy'), stats: socketAt('stats') },
    { kind: 'redis', address: '127.0.0.1:9', ...access },
  ],
  sentinel: { addresses: ['127.0.0.1:9'], ...access, redis: access },
  cluster: [{ name: 'c', seeds: ['127.0.0.1:9'], ...access }],
  sentinelEndpoint: {
    listen: '127.0.0.1:0',
    passwordFile: at('secret'),
    operator: { passwordFile: at('secret') },
    tls: serving,
  },
  templates: [
    template(
      { haproxy: { socket: socketAt('haproxy'), master: socketAt('master'), fallback: ['true'] } },
      { destination: at('a') },
    ),
    template({ signal: 'SIGHUP', pidFile: at('pid') }, { destination: at('b'), sandboxPath: at('sandbox') }),
    template(
      { command: ['true'], drain: { socket: socketAt('haproxy'), servers: ['a/b'] } },
      { destination: at('c'), verify: { redis: { address: socketAt('redis'), ...access }, tcp: socketAt('tcp') } },
    ),
    template(['true'], { destination: at('d'), verify: { redis: [{ address: socketAt('redis'), ...access }] } }),
  ],
  api: { listen: '127.0.0.1:0', tokenFile: at('secret'), tls: serving },
  journal: { file: at('journal') },
};

/** Files that the daemon writes, connects to or reads later: another kind of file there is no error of the config. */
const usedLater = /^pidFile$|^journal[.]file$|[.](?:stats|address|tcp|socket|master|pidFile|sandboxPath)$/;
const namesFile =
  /(?:[a-z]File|^pidFile|caPath|sandboxPath|[.]source|[.]destination|[.]socket|haproxy[.]master|[.]stats|^journal[.]file)$|^(?:register|templates)\[\].*[.](?:address|tcp)$/;

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Every key with a text, such as `register[].passwordFile`. */
function* textKeys(schema: JsonSchema, path = ''): Generator<string> {
  if (schema.type === 'string') yield path;
  for (const one of schema.anyOf ?? []) yield* textKeys(one, path);
  if (schema.items !== undefined) yield* textKeys(schema.items, `${path}[]`);
  for (const [key, inner] of Object.entries(schema.properties ?? {}))
    yield* textKeys(inner, path === '' ? key : `${path}.${key}`);
}

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
const keys = [...new Set(textKeys(schema))].filter((key) => namesFile.test(key));

/** A copy of `config` with `file` at a key, and the path of the key there. Undefined if the config does not have the key. */
function replaced<C>(config: C, key: string, file: string): { readonly config: C; readonly path: string } | undefined {
  const copy = structuredClone(config) as unknown;
  const steps = key.split(/[.]|(?=\[\])/);
  const set = (value: unknown, [step, ...rest]: readonly string[], path: string): string | undefined => {
    if (step === '[]') {
      for (const [i, item] of Array.isArray(value) ? value.entries() : []) {
        const found = set(item, rest, `${path}[${i}]`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const map = value as Record<string, unknown>;
    const next = path === '' ? String(step) : `${path}.${step}`;
    if (step === undefined || map[step] === undefined) return undefined;
    if (rest.length > 0) return set(map[step], rest, next);
    map[step] = file;
    return next;
  };
  const path = set(copy, steps, '');
  return path === undefined ? undefined : { config: copy as C, path };
}

async function problemsOf(config: object): Promise<readonly string[]> {
  writeFileSync(at('c.yml'), stringify(config));
  try {
    await loadConfig({ paths: [at('c.yml')], environment: {} });
    return [];
  } catch (thrown) {
    const { problems = [] } = SwitchmasterError.from(thrown).details as { problems?: readonly Problem[] };
    return problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

t.test('the complete config is valid, and has every key that names a file', async (t) => {
  t.strictSame(await problemsOf(complete), []);
  for (const key of keys) t.ok(replaced(complete, key, ''), key);
  t.ok(keys.length > 50, `${keys.length} keys`);
});

/** A copy of the complete config with a file at every key of `chosen`, and the paths of the keys. */
function replaceAll(
  chosen: readonly string[],
  fileOf: (key: string) => string,
): { readonly config: object; readonly paths: string[] } {
  const given: { config: object; readonly paths: string[] } = { config: complete, paths: [] };
  for (const key of chosen) {
    const one = replaced(given.config, key, fileOf(key));
    given.config = one?.config ?? {};
    given.paths.push(one?.path ?? key);
  }
  return given;
}

/** `large` and `endless` are regular files, which destinations replace, and a template is read when it is compiled. */
const kinds: Readonly<Record<string, { readonly file: string; readonly except?: RegExp }>> = {
  fifo: { file: at('fifo'), except: /source$/ },
  device: { file: '/dev/zero', except: /source$/ },
  folder: { file: at('folder'), except: /source$|caPath$/ },
  endless: { file: '/proc/self/pagemap', except: /source$|destination$/ },
  large: { file: at('large'), except: /source$|destination$/ },
};

t.test('another kind of file is refused at its key, and holds nothing up', async (t) => {
  for (const [kind, { file, except }] of Object.entries(kinds)) {
    const { config, paths } = replaceAll(
      keys.filter((key) => !usedLater.test(key) && except?.test(key) !== true),
      () => file,
    );
    const problems = await problemsOf(config);
    for (const path of paths)
      t.ok(
        problems.some((problem) => problem.startsWith(`${path}: `)),
        `${kind} ${path}`,
      );
  }
});

const later = keys.filter((key) => usedLater.test(key));
/** A pipe of its own for each key: two keys for one file would be another mistake. */
const pipeOf = (key: string): string => socketAt(String(keys.indexOf(key)));
execFileSync('mkfifo', keys.map(pipeOf));

t.test('a pipe or a device where the daemon writes or connects later does not hold check up', async (t) => {
  for (const fileOf of [pipeOf, (key: string) => (key === 'pidFile' ? at('own.pid') : '/dev/zero')]) {
    writeFileSync(at('c.yml'), stringify(replaceAll(later, fileOf).config));
    const { code, stdout } = await runCommand(['check', '--config', at('c.yml')]);
    t.equal(code, 1);
    for (const key of ['journal.file', 'templates[1].sandboxPath', 'templates[1].reload.pidFile'])
      t.match(stdout, `cannot work: ${key}`);
  }
});

t.test('a daemon with such pipes starts, refuses all others at SIGHUP, and ends at SIGTERM', async (t) => {
  writeFileSync(at('c.yml'), stringify(replaceAll(later, pipeOf).config));
  const program = new Program(['run', '--config', at('c.yml')]);
  t.teardown(() => void program.child.kill('SIGKILL'));
  await program.line('API listening');
  const { config, paths } = replaceAll(keys, pipeOf);
  writeFileSync(at('c.yml'), stringify(config));
  program.child.kill('SIGHUP');
  const refusal = await program.line('config refused; the running one stays');
  const { details } = refusal.error as { readonly details: { readonly problems: readonly Problem[] } };
  const refused = new Set(details.problems.map(({ path }) => path));
  const isRefused = (path: string) => !usedLater.test(path.replaceAll(/\[\d\]/g, '[]'));
  for (const path of paths.filter(isRefused)) t.ok(refused.has(path), path);
  program.child.kill('SIGTERM');
  t.equal((await program.end()).code, 0);
});
