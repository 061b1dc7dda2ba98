import { formatAddress } from '../../model/address.ts';
import type { CatalogService, KvEntry } from '../../model/catalog.ts';
import { compareVersions } from '../../model/epoch.ts';
import { recordedAddress } from '../../model/master-instance.ts';
import { masterService, type Naming, plainKey } from '../../model/naming.ts';
import { isCount, type MasterRecord } from '../../model/record.ts';
import type { Published } from './decision.ts';
import { hasMajority, type Votes } from './vote.ts';

/*
 * The evidence for a record. A bridge writes a change of master in one transaction: the record, the plain keys and the
 * service. They do not agree about a record that somebody edited.
 */

/** What Consul holds beside the record. */
export interface Traces {
  readonly keys: ReadonlyMap<string, KvEntry>;
  readonly instances: readonly Pick<CatalogService, 'id' | 'address' | 'port' | 'meta'>[];
}

/** A record with what Consul holds beside it. */
interface Named {
  readonly record: MasterRecord;
  readonly traces: Traces;
  readonly naming: Naming;
}

/**
 * Whether the newest record is one of a bridge: by what Consul holds beside it, or by the Sentinels. `suspected`: nothing
 * shows it, and the record is newer than the last one that is trusted, or something contradicts it.
 */
export function judgeRecord(
  named: Named,
  { votes, trusted }: { readonly votes: Votes; readonly trusted: MasterRecord | undefined },
): 'written' | 'suspected' | 'unknown' {
  const { record } = named;
  const isBehind = trusted !== undefined && record.epoch < trusted.epoch;
  if (isWitnessed(named) || (!isBehind && isConfirmed(record, votes))) return 'written';
  const isDoubtful = trusted === undefined ? isContradicted(named) : compareVersions(record, trusted) > 0;
  return isDoubtful ? 'suspected' : 'unknown';
}

/** Whether a plain key or the service names another master, or another version of the record: then one of them was edited. */
export function isContradicted(named: Named): boolean {
  return testimonies(named).includes('against');
}

/** Whether a plain key or the service agrees with the record, and none contradicts it: then a bridge wrote it. */
function isWitnessed(named: Named): boolean {
  const said = testimonies(named);
  return said.length > 0 && !said.includes('against');
}

/** Whether a majority of the Sentinels names the record's master at its epoch. */
function isConfirmed({ master, epoch: configEpoch }: MasterRecord, votes: Votes): boolean {
  const views = votes.views.filter(({ condition }) => condition !== 'failover');
  return hasMajority({ master, configEpoch }, { ...votes, views });
}

function testimonies({ record, traces, naming }: Named): readonly ('for' | 'against')[] {
  const key = plainKey(naming, record.name);
  const service = traces.instances.find(({ id }) => id === masterService);
  const published = lastPublished(traces);
  const compared: readonly (readonly [string | number | undefined, string | number])[] = [
    [traces.keys.get(key)?.value, formatAddress(record.master)],
    [traces.keys.get(`${key}/epoch`)?.value, String(record.epoch)],
    [service && formatAddress(recordedAddress(service)), formatAddress(record.master)],
    [published?.generation, record.generation],
    [published?.epoch, record.epoch],
  ];
  return compared.flatMap(([found, wanted]) => (found === undefined ? [] : found === wanted ? ['for'] : ['against']));
}

/** The version and the master of the last record, by the service that was written with it; undefined if there is none. */
export function lastPublished({ instances }: Pick<Traces, 'instances'>): Published | undefined {
  const service = instances.find(({ id }) => id === masterService);
  if (service === undefined) return undefined;
  const [generation, epoch] = [service.meta.generation, service.meta.epoch].map(Number);
  if (!isCount(generation) || !isCount(epoch) || generation === 0) return undefined;
  return { generation, epoch, master: recordedAddress(service) };
}
