import type { Config } from '../lib/config/model.ts';
import { formatAddress, formatEndpoint } from '../lib/model/address.ts';
import type { TemplateSpec } from '../lib/model/template-spec.ts';

/** What each part of a daemon with this config will do, one sentence a part. */
export function describeParts(config: Config): readonly string[] {
  const { consul, register, sentinel, sentinelEndpoint, cluster, templates, api } = config;
  const consulAt = consul.socketPath ?? formatAddress(consul);
  const parts = [
    ...describeRegister(register),
    ...describeBridge(sentinel),
    ...cluster.map(({ name, seeds, service }) => {
      return `cluster: follows ${name} by ${listOf([...seeds.map(formatAddress), ...serviceOf(service)])}`;
    }),
    ...(sentinelEndpoint === undefined
      ? []
      : [`sentinelEndpoint: answers in Sentinel's place at ${formatAddress(sentinelEndpoint.listen)}`]),
    ...templates.map(describeTemplate),
    api === undefined ? 'api: off' : `api: listens at ${formatAddress(api.listen)}`,
  ];
  const environment = config.environment === undefined ? '' : `, environment ${config.environment}`;
  return [`consul: ${consulAt}${environment}`, ...parts];
}

function describeRegister(register: Config['register']): readonly string[] {
  if (register === undefined) return [];
  const instances = register.instances.map(({ spec }) => `${spec.kind} ${formatEndpoint(spec.address)}`);
  const found = register.discoveries.map(({ discovery }) => `every ${discovery.pattern.kind} of this node`);
  return [`register: ${listOf([...instances, ...found])}`];
}

function describeBridge(sentinel: Config['sentinel']): readonly string[] {
  if (sentinel === undefined) return [];
  const { addresses, service, masters, provision } = sentinel;
  const at = listOf([...addresses.map(formatAddress), ...serviceOf(service)]);
  const also = provision ? ', and makes them monitor what Consul lists' : '';
  return [`sentinel: bridges the masters ${listOf(masters)} from the Sentinels ${at} to Consul${also}`];
}

function describeTemplate({ name, source, contents, destination, check, reload, verify }: TemplateSpec): string {
  const from = contents === undefined ? source : `contents in ${source}`;
  const steps = [
    ...(check === undefined ? [] : [`check ${check.argv.join(' ')}`]),
    ...(reload === undefined ? [] : [describeReload(reload)]),
    ...(verify === undefined ? [] : ['verify']),
  ];
  return `template ${name}: ${[`${from} to ${destination}`, ...steps].join(', ')}`;
}

function describeReload(reload: NonNullable<TemplateSpec['reload']>): string {
  switch (reload.kind) {
    case 'command':
      return `reload by ${reload.command.argv.join(' ')}`;
    case 'signal':
      return `reload by ${reload.signal} to the process in ${reload.pidFile}`;
    case 'haproxy':
      return `reload over ${formatEndpoint(reload.socket)}, else by ${reload.fallback.argv.join(' ')}`;
    case 'supervise':
      return `supervise ${reload.command.argv.join(' ')}`;
  }
}

function serviceOf(service: string | undefined): readonly string[] {
  return service === undefined ? [] : [`the service ${service}`];
}

function listOf(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.join(', ');
}
