import type { ConsulAgent, ConsulConfig } from '../../test/sandbox/consul.ts';

/** Makes Consul count what it serves since its start. */
export const countingConsul: ConsulConfig = {
  telemetry: { prometheus_retention_time: '2h', disable_hostname: true },
  log_level: 'warn',
};

/** What Consul has served since its start. A blocking query counts when it is answered. */
export interface ConsulCount {
  readonly requests: number;
  /** Of them those of the kinds that a bridge watches: their number depends on how soon it asks again. */
  readonly watchedReads: number;
  readonly transactions: number;
}

export async function countOf(consul: ConsulAgent): Promise<ConsulCount> {
  const text = String(await consul.get('/v1/agent/metrics?format=prometheus'));
  const count = (pattern: string) =>
    [...text.matchAll(new RegExp(`^${pattern}_count(?:{.*})? (\\S+)$`, 'gm'))]
      .filter(([line]) => !line.includes('agent_metrics'))
      .reduce((sum, [, value]) => sum + Number(value), 0);
  return {
    requests: count('consul_http_[A-Z]+_v1_\\w+'),
    watchedReads: count('consul_http_GET_v1_(?:kv|health_service)__'),
    transactions: count('consul_http_PUT_v1_txn'),
  };
}
