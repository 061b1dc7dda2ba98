import { instanceRule, type Rule } from '../rule.ts';
import { list, type WithSettings, withSettings } from './settings.ts';

const setMasterauth = 'CONFIG SET masterauth to the password that the others require, and CONFIG REWRITE.';

/** After a failover each Redis may replicate from any other: its masterauth must be what every other one requires. */
export const passwordRules: readonly Rule[] = [
  /** Redis refuses AUTH where it has no password, and a replica that is refused does not replicate (replication.c). */
  passwordRule({
    name: 'password-missing',
    hint: 'CONFIG SET requirepass to the password that the others require, and CONFIG REWRITE.',
    find: ({ settings }, requiring) =>
      settings.requirepassHash === undefined && requiring.length > 0
        ? `it requires no password, but ${list(requiring)} do: anybody may write to it, and as a master it would refuse replicas that send one`
        : undefined,
  }),
  passwordRule({
    name: 'masterauth-missing',
    hint: setMasterauth,
    find: ({ settings }, requiring) =>
      !settings.hasMasterUser && settings.masterauthHash === undefined && requiring.length > 0
        ? `masterauth is missing: it could not replicate from ${list(requiring)}, which require a password`
        : undefined,
  }),
  passwordRule({
    name: 'masterauth-differs',
    hint: setMasterauth,
    find: ({ settings }, requiring) => {
      if (settings.hasMasterUser || settings.masterauthHash === undefined) return undefined;
      const refusing = requiring.filter((other) => other.settings.requirepassHash !== settings.masterauthHash);
      return refusing.length === 0 ? undefined : `masterauth is not the password that ${list(refusing)} require`;
    },
  }),
];

function passwordRule({
  find,
  ...rule
}: Pick<Rule, 'name' | 'hint'> & {
  readonly find: (instance: WithSettings, requiring: readonly WithSettings[]) => string | undefined;
}): Rule<'masters'> {
  return instanceRule({
    ...rule,
    severity: 'critical',
    find: (examined, { instances }) => {
      const known = withSettings(instances);
      const instance = known.find((one) => one === examined);
      const requiring = known.filter((other) => other !== examined && other.settings.requirepassHash !== undefined);
      return instance === undefined ? undefined : find(instance, requiring);
    },
  });
}
