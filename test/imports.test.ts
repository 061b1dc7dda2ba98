import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';

/*
 * The direction of imports, as docs/architecture.md draws it. A feature imports what the features share, and no other
 * feature. Every room may import `model`, `errors`, `backoff`, `deadline`, `semaphore`, `links`, `mounts`, `file-system`, `regular-file`, `followed-file`, `append-file`,
 * `replaced-file`, `file-watch`, `ticks` and `package-files` as well.
 */
const features = [
  'bridge',
  'registrar',
  'renderer',
  'cluster',
  'provisioner',
  'endpoint',
  'doctor',
  'drill',
  'import',
  'removal',
];
const shared = [
  'part',
  'listening',
  'handshakes',
  'http',
  'telemetry',
  'consul',
  'loop',
  'config',
  'template',
  'client',
  'crash',
  'maintenance',
];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cmd: ['daemon', ...features, ...shared],
  daemon: [...features, ...shared],
  ...Object.fromEntries(features.map((feature) => [feature, shared])),
  index: [],
  part: ['http'],
  listening: [],
  handshakes: [],
  http: ['handshakes', 'listening', 'telemetry'],
  telemetry: ['loop'],
  consul: ['config', 'client', 'part'],
  crash: ['consul', 'client'],
  maintenance: ['consul', 'client', 'http', 'loop', 'part'],
  loop: ['template'],
  config: ['template', 'client'],
  template: [],
  client: [],
  model: [],
  errors: [],
  backoff: [],
  links: [],
  deadline: [],
  semaphore: [],
  mounts: [],
  'file-system': ['deadline'],
  'regular-file': [],
  'followed-file': [],
  'append-file': [],
  'replaced-file': [],
  'file-watch': [],
  ticks: [],
  'package-files': [],
};
const forAll = new Set([
  'model',
  'errors',
  'backoff',
  'deadline',
  'semaphore',
  'links',
  'mounts',
  'file-system',
  'regular-file',
  'followed-file',
  'append-file',
  'replaced-file',
  'file-watch',
  'ticks',
  'package-files',
]);
const servers = new Set(['consul', 'ioredis']);

const root = path.resolve(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  readonly to: string;
}

async function listSources(folder: string): Promise<readonly string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

async function listPageScripts(): Promise<readonly string[]> {
  const names = await readdir(path.join(root, 'lib/http/page'));
  return names.filter((name) => name.endsWith('.js')).map((name) => `lib/http/page/${name}`);
}

async function readImports(file: string): Promise<readonly Import[]> {
  const text = await readFile(path.join(root, file), 'utf8');
  const specifiers = text.matchAll(
    /(?:^|\n)(?:import|export)\s(?:[^;'"]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/g,
  );
  return [...specifiers].map((match) => {
    const specifier = match[1] ?? match[2] ?? '';
    const to = specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : specifier;
    return { from: file, to };
  });
}

function roomOf(file: string): string {
  const [top, second = ''] = file.split('/');
  return top === 'lib' ? second.replace(/\.ts$/, '') : (top ?? '');
}

const files = [...(await listSources('cmd')), ...(await listSources('lib'))];
const imports = (await Promise.all(files.map(readImports))).flat();
const inside = imports.filter(({ to }) => /^(?:lib|cmd)\//.test(to));

t.test('every file lies in a room of the house', async (t) => {
  t.ok(files.length > 10);
  t.strictSame(
    files.filter((file) => !Object.hasOwn(mayImport, roomOf(file))),
    [],
  );
});

t.test('no file has more than 250 lines', async (t) => {
  const others = (await Promise.all(['bench', 'demo', 'packaging', 'setup', 'test'].map(listSources))).flat();
  const lengths = await Promise.all(
    [...files, ...(await listPageScripts()), ...others].map(async (file) => {
      const text = await readFile(path.join(root, file), 'utf8');
      return [file, text.split('\n').length - 1] as const;
    }),
  );
  t.strictSame(
    lengths.filter(([, lines]) => lines > 250),
    [],
  );
});

t.test('imports run one way', async (t) => {
  const wrong = inside.filter(({ from, to }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    return here !== there && !mayImport[here]?.includes(there) && !(forAll.has(there) && here !== 'model');
  });
  t.strictSame(wrong, []);
});

/** Whether a file decides purely: it lies in a feature's folder `plan`, or is its `plan.ts` or `*-plan.ts`. */
function isPlan(file: string): boolean {
  return file.startsWith('lib/') && (file.includes('/plan/') || /[/-](plan|planned-check)\.ts$/.test(file));
}

t.test('a plan imports only plans and the model', async (t) => {
  const plans = files.filter(isPlan);
  t.ok(plans.length > 20);
  const wrong = inside.filter(({ from, to }) => isPlan(from) && !isPlan(to) && !forAll.has(roomOf(to)));
  t.strictSame(wrong, []);
  const io = imports.filter(
    ({ from, to }) => isPlan(from) && /^node:(?!net$)|^(consul|ioredis|fastify|pino)$/.test(to),
  );
  t.strictSame(io, []);
});

t.test('what observes never imports what applies', async (t) => {
  t.strictSame(
    inside.filter(({ from, to }) => /\/observe(\/|\.ts$)/.test(from) && /\/apply(\/|\.ts$)/.test(to)),
    [],
  );
});

t.test('the daemon imports a feature by its part alone, and nobody else imports a part', async (t) => {
  const isPart = (file: string) => /^lib\/[a-z]+\/part\.ts$/.test(file);
  const wrong = inside.filter(({ from, to }) => {
    if (!features.includes(roomOf(to)) || roomOf(from) === roomOf(to)) return false;
    return (roomOf(from) === 'daemon') !== isPart(to);
  });
  t.strictSame(wrong, []);
});

t.test('no file imports itself through others', async (t) => {
  const next = Map.groupBy(inside, ({ from }) => from);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (done.has(file) || way.includes(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  t.strictSame(circles, []);
});

t.test('only lib/client speaks to Consul and Redis through their packages', async (t) => {
  const wrong = imports.filter(({ from, to }) => servers.has(to) && roomOf(from) !== 'client');
  t.strictSame(wrong, []);
});

t.test('what is imported by path is there', async (t) => {
  t.strictSame(
    inside.filter(({ to }) => !files.includes(to)),
    [],
  );
});
