import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { type HclEntry, type HclObject, type HclValue, parseHcl } from '../../lib/import/hcl.ts';
import { runCommand } from '../cmd/command.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { guides } from './guides/guides.ts';
import { stepsOf } from './guides/steps.ts';
import { blocksOf, readPage, readPages } from './pages.ts';

/* Follows only the files of the guides: after each one that is a config, `check` must call the machine's config good. */

const etc = '/etc/switchmaster/';

/** The files and the keys that a config names by path, and that a guide makes by commands, get a content that can be used. */
function writeNamed(folder: string, text: string, authority: () => Certificates): void {
  for (const [, key = '', file = ''] of text.matchAll(/(\w+File|caFile): (\S+?)[\s},]/g))
    if (file.startsWith(folder) && !/^(?:cert|key|ca|clientCa)File$/.test(key)) writeFileSync(file, 'secret');
  const certFile = /certFile: (\S+)/.exec(text)?.[1];
  if (certFile === undefined) return;
  mkdirSync(dirname(certFile), { recursive: true });
  const { cert, key } = authority().issue('redis-1');
  writeFileSync(certFile, cert);
  writeFileSync(/keyFile: (\S+)/.exec(text)?.[1] ?? '', key);
  writeFileSync(/clientCaFile: (\S+)/.exec(text)?.[1] ?? '', authority().ca);
}

t.test('after each step that writes a config, the config of the machine is good', async (t) => {
  const folder = t.testdir({});
  let made: Certificates | undefined;
  const authority = () => {
    made ??= new Certificates(join(folder, 'authority'));
    return made;
  };
  let checked = 0;
  for (const page of (await readPages()).filter(({ file }) => guides.some((guide) => guide.page === file))) {
    const root = join(folder, 'machines');
    rmSync(root, { recursive: true, force: true });
    for (const step of stepsOf(page)) {
      if (step.kind !== 'file' || !step.path.startsWith(etc)) continue;
      for (const machine of step.machines.length === 0 ? ['first'] : step.machines) {
        const config = join(root, machine, '');
        const file = join(config, step.path.slice(etc.length));
        mkdirSync(dirname(file), { recursive: true });
        const text = step.content.replaceAll(etc, `${config}/`);
        writeFileSync(file, text);
        if (!file.endsWith('.yml')) continue;
        writeNamed(config, text, authority);
        // A guide copies files that exist on the machine.
        for (const [, source = ''] of text.matchAll(/source: (templates\/\S+)/g)) {
          mkdirSync(join(config, 'templates'), { recursive: true });
          writeFileSync(join(config, source), '');
        }
        const { code, stdout, stderr } = await runCommand(['check', '--config-only', '--config', config]);
        t.equal(code, 0, `${page.file}:${step.line}: ${stdout}${stderr}`);
        checked += 1;
      }
    }
  }
  t.ok(checked > 20);
});

/* No cluster of Nomad or Kubernetes runs here: what can be read of the pages' jobs and manifests is compared. */

/** Values at a path of blocks, in which a label is an object of its own. */
function valuesAt(object: HclObject, [key, ...rest]: readonly string[]): readonly HclValue[] {
  const found = object.entries.filter((entry: HclEntry) => entry.key === key).map(({ value }) => value);
  const inner = found.flatMap((value) => (value.kind === 'list' ? value.items : [value]));
  return rest.length === 0 ? inner : inner.flatMap((value) => (value.kind === 'object' ? valuesAt(value, rest) : []));
}

async function checkConfig(folder: string, config: string): Promise<string> {
  // The token is a secret of the cluster.
  const file = join(folder, 'token');
  writeFileSync(file, 'secret');
  writeFileSync(join(folder, 'switchmaster.yml'), config.replace(/tokenFile: \S+/, `tokenFile: ${file}`));
  const { code, stdout, stderr } = await runCommand([
    'check',
    '--config-only',
    '--config',
    join(folder, 'switchmaster.yml'),
  ]);
  return code === 0 ? 'good' : stdout + stderr;
}

t.test('the job for Nomad can be parsed, and its config is good', async (t) => {
  const [block] = blocksOf(await readPage('docs/guide/nomad.md'));
  const job = parseHcl('switchmaster.nomad.hcl', block?.content ?? '');
  const task = ['job', 'switchmaster', 'group', 'switchmaster', 'task', 'switchmaster'];
  const textAt = (...path: string[]) =>
    valuesAt(job, [...task, ...path]).map((value) => (value.kind === 'text' ? value.text : value.kind));
  t.strictSame(textAt('config', 'args').slice(-1), ['/local/switchmaster.yml']);
  t.strictSame(textAt('template', 'destination'), ['local/switchmaster.yml']);
  const [config = ''] = textAt('template', 'data');
  t.notMatch(config, /\[\[|\]\]/, 'a config without the delimiters of the job');
  t.equal(await checkConfig(t.testdir({}), config), 'good');
});

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another
  readonly spec: any;
}

t.test('the manifests for Kubernetes fit each other, and their config is good', async (t) => {
  const [block] = blocksOf(await readPage('docs/guide/kubernetes.md'));
  const documents = parseAllDocuments(block?.content ?? '');
  const manifests = documents.flatMap((document) => ('toJS' in document ? [document.toJS() as Manifest] : []));
  t.strictSame(
    manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    ['v1 ConfigMap', 'apps/v1 Deployment', 'v1 Service'],
  );
  const [map, deployment, service] = manifests as [Manifest, Manifest, Manifest];
  const config = map.data?.['switchmaster.yml'] ?? '';
  t.equal(await checkConfig(t.testdir({}), config), 'good');
  const { selector, template } = deployment.spec;
  t.strictSame(selector.matchLabels, template.metadata.labels);
  t.strictSame(service.spec.selector, template.metadata.labels);
  const volumes = template.spec.volumes.map(({ name }: { name: string }) => name);
  const ports = new Map<string, number>();
  for (const container of template.spec.containers) {
    for (const { name } of container.volumeMounts) t.ok(volumes.includes(name), `${container.name}: ${name}`);
    for (const { name, containerPort } of container.ports) ports.set(name, containerPort);
  }
  t.equal(template.spec.volumes[1].configMap.name, map.metadata.name);
  const settings = parse(config);
  const { ports: listeners } = settings.templates[0].vars;
  for (const [shard, port] of Object.entries(listeners)) {
    t.equal(ports.get(shard), port);
    t.ok(
      service.spec.ports.some(
        (one: { port: number; targetPort: string }) => one.port === port && one.targetPort === shard,
      ),
    );
  }
  t.equal(settings.api.listen, `0.0.0.0:${ports.get('api')}`);
});
