import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { AclNeeds, AclRule } from '../lib/model/acl/rule.ts';
import type { ConsulScope } from '../lib/model/consul-scope.ts';
import { recordPrefix } from '../lib/model/naming.ts';
import type { ConsulAnswers, ConsulQuery } from '../lib/model/query.ts';
import type { TemplateSpec } from '../lib/model/template-spec.ts';
import type { TemplateReads } from '../lib/template/reads.ts';
import type { RenderWorld } from '../lib/template/scope.ts';
import { chooseConfig } from './config-paths.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';

export function addAcl(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('acl')
    .description('Print the least Consul ACL policy that a config needs.')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ switchmaster acl --config /etc/switchmaster | consul acl policy create -name switchmaster -rules -',
    )
    .action(async (options: { config: readonly string[]; json?: true }) => {
      done(await printAcl(options));
    });
}

async function printAcl(options: { readonly config: readonly string[]; readonly json?: true }): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { formatAcl, planAcl } = await import('../lib/model/acl/policy.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  const { formatDnsAcl, planDnsAcl } = await import('../lib/model/acl/dns.ts');
  const needs = await needsOf(config);
  const { scope } = config.consul;
  const rules = planAcl(needs);
  const dns = planDnsAcl(needs);
  const unknown = (await computedReads(config)).map((read) => ({ ...read, rules: rulesFor(read.queries, planAcl) }));
  const shown = unknown.map(({ template, line, column, text, rules }) => ({ template, line, column, text, rules }));
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ ...namesOf(scope), rules, dns, computed: shown }, null, 2)}\n`
      : formatAcl(rules, scope) + formatDnsAcl(dns, scope),
  );
  for (const { template, line, column, text, rules } of shown) {
    process.stderr.write(
      `warning: ${template}:${line}:${column}: {{${text}}} reads a name that is computed from data, which no policy can know ` +
        `beforehand. Add for each such NAME, or for a prefix of them:\n${formatAcl(rules, scope)
          .replace(/^#.*\n/gm, '')
          .replace(/^(?=.)/gm, '  ')
          .trimEnd()}\n`,
    );
  }
  return 0;
}

function namesOf(scope: ConsulScope | undefined): Pick<ConsulScope, 'partition'> & { readonly namespace?: string } {
  if (scope === undefined) return {};
  const { settings: _, ...names } = scope;
  return names;
}

/** The names that a template computes, each with its place. */
interface ComputedName {
  readonly template: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly queries: readonly ConsulQuery[];
}

async function computedReads({ templates, environment }: Config): Promise<readonly ComputedName[]> {
  const all = await Promise.all(
    templates.map(async (spec) => {
      const { reads } = await readingsOf(spec, environment);
      return reads.computed.map(({ site: { file: template, line, column, text }, queries }) => {
        return { template, line, column, text, queries };
      });
    }),
  );
  return all.flat();
}

function rulesFor(queries: readonly ConsulQuery[], plan: (needs: AclNeeds) => readonly AclRule[]): readonly AclRule[] {
  const nothing = {
    registers: [],
    memberOf: [],
    looksUp: [],
    clusters: [],
    clustersOnCrash: [],
    masters: undefined,
    ordersOnCrash: false,
    answersSentinel: false,
  };
  return plan({ ...nothing, naming: { environment: undefined }, provisions: false, queries, rolls: false });
}

export async function needsOf(config: Config): Promise<AclNeeds> {
  const { aclNeeds } = await import('../lib/config/acl-needs.ts');
  const queries = await Promise.all(config.templates.map((spec) => queriesOf(spec, config.environment)));
  return aclNeeds(config, queries.flat());
}

/** What a template reads if Consul has one of everything, and in the branches that this data does not reach. */
async function queriesOf(spec: TemplateSpec, environment: string | undefined): Promise<readonly ConsulQuery[]> {
  const { rendered, reads } = await readingsOf(spec, environment);
  const { computedName } = await import('../lib/template/reads.ts');
  const known = rendered.filter((query) => !JSON.stringify(query).includes(computedName));
  const queries = [...known, ...reads.queries];
  const { evidenceQueries } = await import('../lib/model/trust.ts');
  const tree = recordPrefix({ environment });
  const readsRecords = queries.some((query) => query.kind === 'key-tree' && query.prefix === tree);
  return readsRecords ? [...queries, ...evidenceQueries({ environment })] : queries;
}

async function readingsOf(
  spec: TemplateSpec,
  environment: string | undefined,
): Promise<{ readonly rendered: readonly ConsulQuery[]; readonly reads: TemplateReads }> {
  const { readTemplate } = await import('../lib/renderer/observe/source.ts');
  const { compileTemplate } = await import('../lib/template/compile.ts');
  const { computedName } = await import('../lib/template/reads.ts');
  const template = compileTemplate(await readTemplate(spec));
  const world: RenderWorld = {
    lookUp: ((query: ConsulQuery) => ({ kind: 'known', value: supposed(query, computedName) })) as never,
    lookUpFile: () => ({ kind: 'known', value: '' }),
    env: (name) => process.env[name],
    vars: spec.vars,
    environment,
  };
  return { rendered: template.render(world).dependencies, reads: template.reads(world) };
}

/** One of each, so that the content of a template's blocks is rendered too. */
function supposed(query: ConsulQuery, name: string): ConsulAnswers[ConsulQuery['kind']] {
  const address = { host: '127.0.0.1', port: 1 };
  const record = { version: 1, name, generation: 1, epoch: 1, phase: 'confirmed', master: address, replicas: [] };
  const signed = { previous: null, reason: '', changedAt: '', changedBy: '' };
  switch (query.kind) {
    case 'key':
      return { key: query.key, value: JSON.stringify({ shards: [] }), modifyIndex: 1 };
    case 'key-tree':
      return [{ key: `${query.prefix}${name}`, value: JSON.stringify({ ...record, ...signed }), modifyIndex: 1 }];
    case 'service':
    case 'connect':
    case 'nodes':
    case 'datacenters':
    case 'ca-roots':
    case 'peerings':
      return [];
    case 'agent-node':
      return name;
    case 'ca-leaf':
      return { service: query.service, serialNumber: '', cert: '', privateKey: '', validAfter: '', validBefore: '' };
    case 'services':
      return new Map();
    case 'node':
    case 'health':
      return undefined;
  }
}
