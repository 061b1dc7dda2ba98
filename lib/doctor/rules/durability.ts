import { formatAddress } from '../../model/address.ts';
import type { Examination, ExaminedMaster, ExaminedRedis, Finding } from '../../model/examination.ts';

/** Whether data and roles outlive a restart. */
export function examineDurability({ masters }: Examination): readonly Finding[] {
  return masters.flatMap((master) => [
    ...examinePersistence(master),
    ...master.instances.flatMap((instance) => [...examineSaves(instance), ...examineConfigFile(instance)]),
  ]);
}

/** "Safety of replication when master has persistence turned off", Redis replication. */
function examinePersistence({ name: subject, instances }: ExaminedMaster): readonly Finding[] {
  const replicated = instances.some(({ expected }) => expected === 'replica');
  const empty = instances.filter(({ settings }) => settings?.persists === false && settings.priority !== 0);
  if (!replicated || empty.length === 0) return [];
  const who = empty.map(({ address }) => formatAddress(address)).join(', ');
  const says = `${who} keep nothing on disk: a master that is restarted before Sentinel notices comes back empty, and its replicas empty themselves after it`;
  const wayOut =
    'Set save or appendonly, or see that nothing restarts it by itself (Restart= of systemd, a container).';
  return [{ rule: 'no-persistence', severity: 'warning', subject, says, wayOut }];
}

function examineSaves({ address, saveFailed }: ExaminedRedis): readonly Finding[] {
  if (saveFailed !== true) return [];
  const says = 'its last save to disk failed: as a master it refuses writes until one succeeds';
  const wayOut = 'Its log tells why: disk full, dir gone or not writable, no memory to fork. Then BGSAVE.';
  return [{ rule: 'save-failed', severity: 'critical', subject: formatAddress(address), says, wayOut }];
}

function examineConfigFile({ address, configFile }: ExaminedRedis): readonly Finding[] {
  if (configFile !== 'none') return [];
  const says = 'it was started without a config file: what Sentinel makes of it is forgotten when it restarts';
  const wayOut = 'Start it with a config file that it may write: CONFIG REWRITE keeps its role there.';
  return [{ rule: 'no-config-file', severity: 'warning', subject: formatAddress(address), says, wayOut }];
}
