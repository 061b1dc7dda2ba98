import * as z from 'zod';
import { canonicalHost, formatAddress, isHost, isIpAddress, parseAddress } from '../model/address.ts';
import type { Publish, PublishedHost } from '../model/publish.ts';
import type { Resolution } from './resolution.ts';
import { text } from './shared-schema.ts';

const place = z.string().transform((value, context): PublishedHost => {
  const parsed = readPlace(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(value)} is neither an address nor a host`,
    params: { hint: 'write host:port, [address]:port for IPv6, or a host' },
  });
  return z.NEVER;
});

/** The section `publish`, by names of masters and patterns. */
export const publishSection = z.record(
  text,
  z.strictObject({ port: z.int().min(1).max(65_535).optional(), addresses: z.record(text, place).default({}) }),
);
type RawPublish = z.output<typeof publishSection>;

/** Brings the addresses into the spelling of the records. */
export function resolvePublish(resolution: Resolution, raw: RawPublish): Publish {
  return Object.entries(raw).map(([masters, { port, addresses }]) => {
    const entries = Object.entries(addresses).flatMap(([from, to]) => {
      const parsed = readPlace(from);
      if (parsed !== undefined) return [[formatPlace(parsed), to] as const];
      const message = `${JSON.stringify(from)} is neither an address nor a host`;
      const hint = 'write the address that Sentinel uses, as host:port, or its host alone';
      resolution.report({ at: ['publish', masters, 'addresses', from] }, { message, hint });
      return [];
    });
    return { masters, ...(port === undefined ? {} : { port }), addresses: Object.fromEntries(entries) };
  });
}

function readPlace(value: string): PublishedHost | undefined {
  const isBareHost = isIpAddress(value) || (isHost(value) && !value.includes(':'));
  return isBareHost ? { host: value } : parseAddress(value);
}

function formatPlace({ host, port }: PublishedHost): string {
  const canonical = canonicalHost(host);
  return port === undefined ? canonical : formatAddress({ host: canonical, port });
}
