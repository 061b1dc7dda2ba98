import type { CatalogService, ServiceInstance } from '../../model/catalog.ts';
import { bridgeMetaKeys } from '../../model/master-instance.ts';
import { dnsSafe, environmentLabel, type Naming } from '../../model/naming.ts';

/*
 * What operators and other tools attach to our services and nodes stays: tags, meta, weights. Only a tag that would give this
 * service the DNS name of another master goes.
 */

export interface OtherMasters {
  readonly naming: Naming;
  /** The names of the masters that the bridge knows; its own may be among them. */
  readonly names: readonly string[];
}

/** The service with what is attached to the one in the catalog; our own tags come first. */
export function withAttached(
  service: CatalogService,
  held: ServiceInstance | undefined,
  others: OtherMasters,
): CatalogService {
  if (held === undefined || held.name !== service.name) return service;
  const taken = labelsOf(others);
  const attached = held.tags.filter((tag) => !service.tags.includes(tag) && !taken.has(tag.toLowerCase()));
  const meta = Object.entries(held.meta).filter(([key]) => !bridgeMetaKeys.includes(key));
  const { weights, enableTagOverride } = held;
  return {
    ...service,
    tags: [...service.tags, ...attached],
    meta: { ...Object.fromEntries(meta), ...service.meta },
    ...(weights === undefined ? {} : { weights }),
    ...(enableTagOverride === undefined ? {} : { enableTagOverride }),
  };
}

/** In lower case, as DNS compares them. */
function labelsOf({ naming: { environment }, names }: OtherMasters): ReadonlySet<string> {
  const labels = names.flatMap((name) => [
    name,
    dnsSafe(name),
    ...(environment === undefined ? [] : [environmentLabel(environment, name)]),
  ]);
  return new Set(labels.map((label) => label.toLowerCase()));
}
