import type { Config } from '../config/model.ts';
import { ConsulPart } from '../consul/part.ts';
import type { Address } from '../model/address.ts';

const timeoutMs = 3_000;

/** The Sentinels that Consul has under `sentinel.service`; none without that setting. Rejects if Consul does not answer. */
export async function readListedSentinels({
  sentinel,
  consul,
}: Pick<Config, 'sentinel' | 'consul'>): Promise<readonly Address[]> {
  if (sentinel?.service === undefined) return [];
  const part = new ConsulPart(consul);
  try {
    const { value } = await part.client.read({ kind: 'service', service: sentinel.service }, { timeoutMs });
    return value.map(({ address: host, port }) => ({ host, port }));
  } finally {
    await part.stop();
  }
}
