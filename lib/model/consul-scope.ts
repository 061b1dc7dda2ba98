/** Where in Consul Enterprise a config has its keys, services and sessions. */
export interface ConsulScope {
  /** `default` where only a partition is set: every Consul without partitions refuses a namespace, and some ignore a partition. */
  readonly namespace: string;
  readonly partition?: string;
  /** What sets them, for messages: `consul.namespace`, `CONSUL_PARTITION`. */
  readonly settings: readonly string[];
}

export function isSameScope(a: ConsulScope | undefined, b: ConsulScope | undefined): boolean {
  return a?.namespace === b?.namespace && a?.partition === b?.partition;
}

/** Whether it is where the open-source Consul, which has neither namespaces nor partitions, keeps everything. */
export function isDefaultScope(scope: ConsulScope | undefined): boolean {
  return scope?.namespace === 'default' && (scope.partition ?? 'default') === 'default';
}

/** `service.consul`, or `service.team.ns.east.ap.consul`: below it are the DNS names of services. */
export function serviceDomain(scope: ConsulScope | undefined): string {
  const namespace = scope === undefined ? '' : `.${scope.namespace}.ns`;
  const partition = scope?.partition === undefined ? '' : `.${scope.partition}.ap`;
  return `service${namespace}${partition}.consul`;
}
