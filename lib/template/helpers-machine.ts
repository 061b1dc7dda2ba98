import { formatGoDate, formatTimestamp } from './go-date.ts';
import { type HelperDefinition, templateFailure, textArgument } from './helper.ts';

/** Helpers that read this machine. What `env` and `file` give is secret. */
export const machineHelpers: Readonly<Record<string, HelperDefinition>> = {
  env: {
    kind: 'value',
    takes: [1, 2],
    usage: '(env "NAME")',
    run(call) {
      const name = textArgument(call, 0);
      const value = call.scope.readVariable(name) ?? call.args[1];
      if (value !== undefined) return value;
      call.scope.warnings.add(
        `The environment variable ${name} is not set, so env gives an empty text: set it, or use envOrDefault.`,
      );
      return '';
    },
  },
  mustEnv: {
    kind: 'value',
    takes: [1, 1],
    usage: '(mustEnv "NAME")',
    run(call) {
      const name = textArgument(call, 0);
      const value = call.scope.readVariable(name) ?? '';
      if (value === '') throw templateFailure(`the environment variable ${name} is not set, or it is empty.`);
      return value;
    },
  },
  envOrDefault: {
    kind: 'value',
    takes: [2, 2],
    usage: '(envOrDefault "NAME" "text")',
    run: (call) => call.scope.readVariable(textArgument(call, 0)) ?? textArgument(call, 1),
  },
  timestamp: {
    kind: 'value',
    takes: [0, 1],
    usage: '(timestamp "2006-01-02")',
    run(call) {
      const time = call.scope.readTime();
      if (call.args.length === 0) return formatTimestamp(time);
      const layout = textArgument(call, 0);
      return layout === 'unix' ? String(Math.floor(time.getTime() / 1000)) : formatGoDate(time, layout);
    },
  },
  file: {
    kind: 'value',
    takes: [1, 1],
    usage: '(file "/path")',
    run: (call) => call.scope.readFile(textArgument(call, 0)) ?? '',
  },
  haproxyDefaults: {
    kind: 'value',
    takes: [0, 0],
    options: ['user', 'group', 'chroot', 'log'],
    usage: '(haproxyDefaults user=vars.user)',
    run({ options, scope }) {
      const set = Object.entries(options).filter(([, value]) => value !== undefined);
      return { ...scope.world.haproxyDefaults, ...Object.fromEntries(set) };
    },
  },
};
