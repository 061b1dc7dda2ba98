import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { ConsulAnswers, ConsulQuery } from '../lib/model/query.ts';
import type { AclNeeds } from '../lib/plan/acl.ts';
import type { TemplateSpec } from '../lib/plan/render-spec.ts';
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
  const { formatAcl, planAcl } = await import('../lib/plan/acl.ts');
  const config = await loadConfig({ paths: options.config, environment: process.env });
  const rules = planAcl(await needsOf(config));
  process.stdout.write(options.json === true ? `${JSON.stringify({ rules }, null, 2)}\n` : formatAcl(rules));
  return 0;
}

export async function needsOf(config: Config): Promise<AclNeeds> {
  const { serviceOf } = await import('../lib/model/instance.ts');
  const { environment, register, sentinel, cluster, templates } = config;
  const kinds = [
    ...(register?.instances ?? []).map(({ spec }) => spec.kind),
    ...(register?.discoveries ?? []).map(({ discovery }) => discovery.pattern.kind),
  ];
  const members = (register?.instances ?? []).flatMap(({ spec }) => (spec.kind === 'cluster' ? (spec.name ?? []) : []));
  const queries = await Promise.all(templates.map((spec) => queriesOf(spec, environment)));
  return {
    naming: { environment },
    registers: [...new Set(kinds.map((kind) => serviceOf[kind]))].sort(),
    memberOf: [...new Set(members)],
    masters: sentinel?.masters,
    provisions: sentinel?.provision === true,
    looksUp: [sentinel?.service, ...cluster.map(({ service }) => service)].filter((service) => service !== undefined),
    clusters: cluster.map(({ name }) => name),
    queries: queries.flat(),
    rolls: templates.some(({ rolling }) => rolling !== undefined),
  };
}

/** What a template asks for where Consul holds one of everything: names that it computes from data are not among them. */
async function queriesOf(spec: TemplateSpec, environment: string | undefined): Promise<readonly ConsulQuery[]> {
  const { compileSource } = await import('../lib/reconcile/renderer-source.ts');
  const template = await compileSource(spec);
  const { dependencies } = template.render({
    know: ((query: ConsulQuery) => ({ kind: 'known', value: supposed(query) })) as never,
    knowFile: () => ({ kind: 'known', value: '' }),
    env: (name) => process.env[name],
    vars: spec.vars,
    environment: environment ?? '',
  });
  return dependencies;
}

/** One of each: so that what stands inside a template's blocks is seen too. */
function supposed(query: ConsulQuery): ConsulAnswers[ConsulQuery['kind']] {
  const address = { host: '127.0.0.1', port: 1 };
  const record = { version: 1, name: 'm', generation: 1, epoch: 1, phase: 'confirmed', master: address, replicas: [] };
  const signed = { previous: null, reason: '', changedAt: '', changedBy: '' };
  switch (query.kind) {
    case 'key':
      return { key: query.key, value: JSON.stringify({ shards: [] }), modifyIndex: 1 };
    case 'key-tree':
      return [{ key: `${query.prefix}m`, value: JSON.stringify({ ...record, ...signed }), modifyIndex: 1 }];
    case 'service':
    case 'nodes':
    case 'datacenters':
      return [];
    case 'services':
      return new Map();
    case 'node':
    case 'health':
      return undefined;
  }
}
