import * as z from 'zod';
import { formatAddress } from '../../model/address.ts';
import { toArgv } from '../command.ts';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { ImportOutput } from '../output.ts';
import { importInvalid } from '../problem.ts';

/** Go reads the names of fields in any case. */
const config = z.object({
  clusters: z.array(z.object({ name: z.string().min(1), externalport: z.int().optional() })).default([]),
  sentinels: z.array(z.object({ host: z.string().min(1), port: z.int() })).min(1),
  haproxy: z
    .object({
      templatepath: z.string().default(''),
      outputpath: z.string().default(''),
      reloadcommand: z.string().default(''),
    })
    .optional(),
  consul: z
    .object({
      address: z.string().default(''),
      services: z
        .array(z.object({ cluster: z.string(), node: z.string().default(''), tags: z.array(z.string()).default([]) }))
        .default([]),
    })
    .optional(),
});
type RedishappyConfig = z.output<typeof config>;

/** The config of redishappy-haproxy or redishappy-consul, and the template that it names. */
export async function importRedishappy(files: readonly ImportFile[], read: ReadFile): Promise<ImportResult> {
  const [file] = files;
  if (file === undefined) throw importInvalid({ file: 'redishappy' }, 'a file is missing');
  const given = parseConfig(file);
  const output = new ImportOutput();
  const { clusters, sentinels, consul } = given;
  const template = await importHaproxy(given, { file, output, read });
  describeServices(given, { file, output });
  return output.finish({
    ...(consul === undefined || consul.address === '' ? {} : { consul: { address: withScheme(consul.address) } }),
    sentinel: {
      addresses: sentinels.map(formatAddress),
      ...(clusters.length === 0 ? {} : { masters: clusters.map(({ name }) => name) }),
    },
    ...(template === undefined ? {} : { templates: [template] }),
  });
}

function parseConfig({ path, text }: ImportFile): RedishappyConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    const [, position] = /position (\d+)/.exec(String(thrown)) ?? [];
    const line = position === undefined ? 1 : text.slice(0, Number(position)).split('\n').length;
    throw importInvalid({ file: path, line }, 'it is no JSON');
  }
  const result = config.safeParse(withLowerKeys(json, 0));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw importInvalid(
    { file: path, line: 1 },
    `it is no config of redishappy: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

function withLowerKeys(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > 20) return value;
  if (Array.isArray(value)) return value.map((one) => withLowerKeys(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key.toLowerCase(), withLowerKeys(one, depth + 1)]),
  );
}

interface Around {
  readonly file: ImportFile;
  readonly output: ImportOutput;
}

async function importHaproxy(
  { haproxy, clusters }: RedishappyConfig,
  { file, output, read }: Around & { readonly read: ReadFile },
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (haproxy === undefined || haproxy.outputpath === '') return undefined;
  const line = lineOf(file, haproxy.outputpath);
  output.expectAbsolute(file.path, { line, what: 'OutputPath', path: haproxy.outputpath });
  const found = await output.read(read, { what: 'TemplatePath', path: haproxy.templatepath, from: file.path, line });
  const missing = clusters.filter(({ externalport }) => externalport === undefined);
  for (const { name } of missing)
    output.leave(file.path, {
      line: lineOf(file, name),
      what: name,
      why: `${name} has no ExternalPort`,
      advice: 'give it a port in vars.ports',
    });
  if ('why' in found) {
    const advice = 'import it again where the file is, or use the bundled haproxy.cfg.hbs, as now';
    output.leave(file.path, {
      line,
      what: haproxy.templatepath,
      why: found.why,
      advice,
    });
  }
  const advice =
    'set reload.haproxy with the stats socket, so that a failover needs no reload and ends the old sessions';
  output.differs(file.path, { line, what: 'ReloadCommand', why: 'HAProxy is reloaded at each failover', advice });
  const source = 'why' in found ? 'haproxy.cfg.hbs' : output.addGoTemplate(found, { root: { record: 'redishappy' } });
  const reload = toArgv(haproxy.reloadcommand);
  return {
    source,
    destination: haproxy.outputpath,
    format: 'haproxy',
    vars: {
      ports: Object.fromEntries(
        clusters.flatMap(({ name, externalport }) => (externalport === undefined ? [] : [[name, externalport]])),
      ),
    },
    check: ['haproxy', '-c', '-f', '{{file}}'],
    ...(reload === undefined ? {} : { reload }),
  };
}

/** Consul's own client takes both. */
function withScheme(address: string): string {
  return address.includes('://') ? address : `http://${address}`;
}

function describeServices({ clusters, consul }: RedishappyConfig, { file, output }: Around): void {
  for (const { cluster, node, tags } of consul?.services ?? []) {
    if (clusters.length > 0 && !clusters.some(({ name }) => name === cluster)) {
      const why = `${cluster} is not in Clusters, so redishappy never registers it`;
      output.differs(file.path, {
        line: lineOf(file, cluster),
        what: cluster,
        why,
        advice: 'add it to sentinel.masters if Sentinel monitors it',
      });
      continue;
    }
    const was = [cluster, ...(tags.length === 0 ? [] : [`tags ${tags.join(', ')}`])].join(', ');
    output.differs(file.path, {
      line: lineOf(file, cluster),
      what: cluster,
      why: `the service is redis-master with the tag ${cluster}, on a node of its own, and not ${was} on ${node}`,
      advice: `move clients from ${cluster}.service.consul to ${cluster}.redis-master.service.consul, then deregister the former service`,
    });
  }
}

function lineOf({ text }: ImportFile, part: string): number {
  const at = text.indexOf(JSON.stringify(part));
  return at < 0 ? 1 : text.slice(0, at).split('\n').length;
}
