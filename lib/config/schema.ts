import * as z from 'zod';
import { beginsMaintenanceKeys, isTopFolder } from '../model/environments.ts';
import { instanceKindNames } from '../model/instance-kinds.ts';
import { isRoleTag } from '../model/naming.ts';
import { clusterSection } from './cluster-schema.ts';
import { defaultApiAddress, defaultSentinelAddress } from './defaults.ts';
import { duration } from './duration.ts';
import { endpointSection } from './endpoint-schema.ts';
import { publishSection } from './publish.ts';
import { registerSection } from './register-schema.ts';
import {
  address,
  crashSettings,
  filePath,
  listenAddress,
  pattern,
  redisAccess,
  serverTls,
  text,
} from './shared-schema.ts';
import { templatesSection } from './template-schema.ts';

/*
 * The sections of a config file before files and the environment are read (resolve.ts does that). Every default is in these
 * schemas or in defaults.ts. Every object is strict: an unknown key is reported, not ignored.
 */

/** A label of DNS (RFC 1035, 2.3.1). */
const dnsLabel = z
  .string()
  .regex(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/, 'must be a DNS label: letters, digits and inner dashes')
  .meta({ is: 'DNS label' });

/** A tag of Consul, and so a label of its DNS. */
const environmentSection = dnsLabel
  .refine((name) => !isTopFolder(name), 'is the name of a folder of keys below redis/; choose another')
  .refine((name) => !beginsMaintenanceKeys(name), 'begins with maintenance, as keys below redis/ do; choose another')
  .refine((name) => !isKindOrRole(name), 'is a tag that services have for their role or kind; choose another')
  .meta({ is: 'DNS label' });

/** Whether a config can have this environment. */
export function isEnvironment(name: string): boolean {
  return environmentSection.safeParse(name).success;
}

/** The environment is a tag of the same services. */
function isKindOrRole(name: string): boolean {
  return isRoleTag(name) || instanceKindNames.some((kind) => kind === name.toLowerCase());
}

/** What is wrong with the name of a namespace or a partition; undefined if nothing is. */
export function faultOfConsulName(name: string): string | undefined {
  return dnsLabel.safeParse(name).error?.issues[0]?.message;
}

const consulSection = z.strictObject({
  address: text.meta({ is: 'address or URL' }).optional(),
  tokenFile: filePath.optional(),
  datacenter: text.optional(),
  namespace: dnsLabel.optional(),
  partition: dnsLabel.optional(),
  connections: z.int().min(1).max(100_000).default(64),
  maxStale: duration({ minMs: 0 }).default(5_000),
  tls: z
    .strictObject({
      caFile: filePath.optional(),
      caPath: filePath.optional(),
      certFile: filePath.optional(),
      keyFile: filePath.optional(),
      serverName: text.optional(),
      verify: z.boolean().optional(),
    })
    .optional(),
});
export type RawConsul = z.output<typeof consulSection>;

const sentinelSettings = z.strictObject({
  addresses: z.array(address).min(1, 'needs at least one address').optional(),
  service: text.optional(),
  provision: z.boolean().default(true),
  masters: z.array(pattern).min(1, 'needs at least one pattern').default(['*']),
  ...redisAccess.shape,
  redis: redisAccess.prefault({}),
  resync: duration({ minMs: 1_000 }).default(30_000),
  roleDeadline: duration({ minMs: 10, maxMs: 60_000 }).default(500),
  rebaseAfter: duration({ minMs: 100 }).default(10_000),
  follow: z.enum(['promotion', 'announcement']).default('promotion'),
  fence: z.enum(['demote', 'pause', 'none']).default('demote'),
  ...crashSettings,
});
/** With `service`, the addresses may come from Consul alone. */
const sentinelSection = sentinelSettings.transform(({ addresses, ...given }) => ({
  ...given,
  addresses: addresses ?? (given.service === undefined ? [defaultSentinelAddress] : []),
}));
export type RawSentinel = z.output<typeof sentinelSection>;

/** A host name, without a port. */
const hostName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{1,253}$/, 'must be a host name without a scheme and without a port')
  .meta({ is: 'host name' });

const apiSection = z.union([
  z.literal(false),
  z.strictObject({
    listen: listenAddress.default(defaultApiAddress),
    tokenFile: filePath.optional(),
    allowRemote: z.boolean().default(false),
    allowedHosts: z.array(hostName).default([]),
    tls: serverTls.optional(),
  }),
]);
export type RawApi = z.output<typeof apiSection>;

const logSection = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  format: z.enum(['auto', 'json', 'pretty']).default('auto'),
});

const journalSection = z.strictObject({
  file: filePath.optional(),
  entries: z.int().min(100).max(1_000_000).default(5_000),
});
export type RawJournal = z.output<typeof journalSection>;

/** Each section by its key. They are parsed one by one, so that a broken section does not hide problems of the others. */
export const sections = {
  environment: environmentSection,
  pidFile: filePath,
  consul: consulSection,
  register: registerSection,
  sentinel: sentinelSection,
  cluster: clusterSection,
  publish: publishSection,
  sentinelEndpoint: endpointSection,
  templates: templatesSection,
  api: apiSection,
  log: logSection,
  journal: journalSection,
} as const;
export type SectionName = keyof typeof sections;
type RawSections = { [S in SectionName]: z.output<(typeof sections)[S]> };

/** Sections whose absence means their defaults. Without one of the others, the node does not run its part. */
export const defaultSections = {
  consul: sections.consul.parse({}),
  cluster: sections.cluster.parse([]),
  publish: sections.publish.parse({}),
  templates: sections.templates.parse([]),
  api: sections.api.parse({}),
  log: sections.log.parse({}),
  journal: sections.journal.parse({}),
} satisfies Partial<RawSections>;

/** The parsed sections, with the defaults of those that are absent. */
export type RawConfig = Partial<RawSections> & Pick<RawSections, keyof typeof defaultSections>;

/** The whole config as one schema: for JSON Schema and for hints. */
export const configSchema = z.strictObject({
  environment: environmentSection.optional(),
  pidFile: filePath.optional(),
  consul: consulSection.optional(),
  register: registerSection.optional(),
  sentinel: sentinelSection.optional(),
  cluster: clusterSection.optional(),
  publish: publishSection.optional(),
  sentinelEndpoint: endpointSection.optional(),
  templates: templatesSection.optional(),
  api: apiSection.optional(),
  log: logSection.optional(),
  journal: journalSection.optional(),
});
