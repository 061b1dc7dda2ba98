import type { CatalogService, ServiceInstance } from '../../model/catalog.ts';
import { bridgeMetaKeys } from '../../model/master-instance.ts';
import { dnsSafe, environmentLabel, type Naming } from '../../model/naming.ts';

/*
 * Keeps what operators and other tools attach to our services and nodes: tags, meta, weights. Removes only a tag that would
 * give this service the DNS name of another master.
 */

export interface OtherMasters {
  readonly naming: Naming;
  /** Gives the names of the masters that the bridge knows; its own may be among them. */
  readonly names: () => readonly string[];
}

/** The service with what is attached to the one in the catalog; our own tags come first. */
export function withAttached(
  service: CatalogService,
  held: ServiceInstance | undefined,
  others: OtherMasters,
): CatalogService {
  if (held === undefined || held.name !== service.name) return service;
  const added = held.tags.filter((tag) => !service.tags.includes(tag));
  const attached = added.length === 0 ? added : withoutLabels(added, others);
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

/** Without the labels of masters, whatever their case: DNS compares them so. */
function withoutLabels(tags: readonly string[], { naming: { environment }, names }: OtherMasters): readonly string[] {
  const labels = names().flatMap((name) => [
    name,
    dnsSafe(name),
    ...(environment === undefined ? [] : [environmentLabel(environment, name)]),
  ]);
  const taken = new Set(labels.map((label) => label.toLowerCase()));
  return tags.filter((tag) => !taken.has(tag.toLowerCase()));
}
