import { instanceRule, masterRule, type Rule } from '../rule.ts';
import { list } from './settings.ts';

/** Whether data and roles survive a restart, and writes reach the master. */
export const durabilityRules: readonly Rule[] = [
  /** "Safety of replication when master has persistence turned off", Redis replication. */
  masterRule({
    name: 'no-persistence',
    severity: 'warning',
    hint: 'Set save or appendonly, or make sure that nothing restarts it automatically (Restart= of systemd, a container).',
    find: ({ instances }) => {
      const empty = instances.filter(({ settings }) => settings?.persists === false && settings.priority !== 0);
      if (empty.length === 0 || instances.every(({ expected }) => expected !== 'replica')) return undefined;
      return `${list(empty)} keep nothing on disk: a master that restarts before Sentinel notices comes back empty, and its replicas then empty themselves`;
    },
  }),
  instanceRule({
    name: 'save-failed',
    severity: 'critical',
    hint: 'Read its log: disk full, dir missing or not writable, no memory to fork. Then run BGSAVE.',
    find: ({ saveFailed }) =>
      saveFailed === true
        ? 'its last save to disk failed: as a master it refuses writes until one succeeds'
        : undefined,
  }),
  instanceRule({
    name: 'no-config-file',
    severity: 'warning',
    hint: 'Start it with a config file that it may write: CONFIG REWRITE saves its role in that file.',
    find: ({ configFile }) =>
      configFile === 'none'
        ? 'it runs without a config file: it forgets the role that Sentinel gave it when it restarts'
        : undefined,
  }),
  instanceRule({
    name: 'replica-writable',
    severity: 'warning',
    hint: 'CONFIG SET replica-read-only yes, and CONFIG REWRITE.',
    find: ({ settings }) =>
      settings?.readOnly === false
        ? 'replica-read-only is no: writes to it while it is a replica are lost without an error'
        : undefined,
  }),
];
