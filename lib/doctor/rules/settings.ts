import { formatAddress } from '../../model/address.ts';
import type { ExaminedRedis, RedisSettings } from '../examination.ts';

/** A Redis whose CONFIG may be read. */
export type WithSettings = ExaminedRedis & { readonly settings: RedisSettings };

export function withSettings(instances: readonly ExaminedRedis[]): readonly WithSettings[] {
  return instances.filter((instance): instance is WithSettings => instance.settings !== undefined);
}

/** Addresses, separated by commas. */
export function list(instances: readonly Pick<ExaminedRedis, 'address'>[]): string {
  return instances.map(({ address }) => formatAddress(address)).join(', ');
}
