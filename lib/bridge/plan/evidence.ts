import { formatAddress } from '../../model/address.ts';
import type { CatalogContents } from '../../model/catalog.ts';
import { recordedAddress } from '../../model/master-instance.ts';
import { masterService, type Naming, plainKey } from '../../model/naming.ts';
import { isCount, type MasterRecord } from '../../model/record.ts';
import type { Published } from './decision.ts';

/**
 * Whether the record was probably edited by hand: the plain key or the service names another master. A bridge writes all
 * three in one transaction.
 */
export function isEdited(record: MasterRecord, { keys, instances }: CatalogContents, naming: Naming): boolean {
  const address = formatAddress(record.master);
  const plain = keys.get(plainKey(naming, record.name))?.value;
  const service = instances.find(({ id }) => id === masterService);
  return (
    (plain !== undefined && plain !== address) ||
    (service !== undefined && formatAddress(recordedAddress(service)) !== address)
  );
}

/** The version and the master of the last record, by the service that was written with it; undefined if there is none. */
export function lastPublished({ instances }: CatalogContents): Published | undefined {
  const service = instances.find(({ id }) => id === masterService);
  if (service === undefined) return undefined;
  const [generation, epoch] = [service.meta.generation, service.meta.epoch].map(Number);
  if (!isCount(generation) || !isCount(epoch) || generation === 0) return undefined;
  return { generation, epoch, master: recordedAddress(service) };
}
