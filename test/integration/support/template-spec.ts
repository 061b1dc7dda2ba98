import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CommandSpec,
  DrainSpec,
  GuardSpec,
  HaproxySocket,
  ReloadSpec,
  RollingSpec,
  SuperviseChange,
  TemplateSpec,
  VerifySpec,
} from '../../../lib/model/template-spec.ts';

type Partly<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;
type CommandInput = Partly<CommandSpec, 'timeoutMs'>;
type ReloadInput =
  | { readonly kind: 'command'; readonly command: CommandInput; readonly drain?: Partly<DrainSpec, 'timeoutMs'> }
  | (ReloadSpec & { readonly kind: 'signal' })
  | {
      readonly kind: 'haproxy';
      readonly socket: HaproxySocket;
      readonly master?: HaproxySocket;
      readonly fallback: CommandInput;
    }
  | {
      readonly kind: 'supervise';
      readonly command: CommandInput;
      readonly change: SuperviseChange;
      readonly stopSignal?: NodeJS.Signals;
      readonly stopTimeoutMs?: number;
    };

/** A template's settings with the config's defaults for what is left out. */
export type SpecInput = Pick<
  TemplateSpec,
  'backup' | 'contents' | 'splayMs' | 'folders' | 'format' | 'mode' | 'owner' | 'group' | 'takeover' | 'header'
> &
  Partial<Pick<TemplateSpec, 'wait' | 'upkeep' | 'vars' | 'destination'>> & {
    /** Default `a.conf`. */
    readonly name?: string;
    /** The template's text, or the name of a bundled one. */
    readonly template: string;
    readonly check?: CommandInput;
    readonly reload?: ReloadInput;
    readonly verify?: Partly<VerifySpec, 'deadlineMs'>;
    readonly guard?: Partial<GuardSpec>;
    readonly rolling?: Partly<RollingSpec, 'group'>;
  };

export function makeSpec(folder: string, input: SpecInput): TemplateSpec {
  const { template, name = 'a.conf', check, reload, verify, guard, rolling, ...rest } = input;
  return {
    destination: join(folder, name),
    vars: {},
    wait: { minMs: 100, maxMs: 2_000 },
    upkeep: 'kept',
    ...rest,
    name,
    source: writeSource(folder, { template, name }),
    guard: { maxLoss: 1, onEmpty: 'hold', ...guard },
    ...(check === undefined ? {} : { check: makeCommand(check) }),
    ...(reload === undefined ? {} : { reload: makeReload(reload) }),
    ...(verify === undefined ? {} : { verify: { deadlineMs: 5_000, ...verify } }),
    ...(rolling === undefined ? {} : { rolling: { group: name, ...rolling } }),
  };
}

function writeSource(folder: string, { template, name }: { readonly template: string; readonly name: string }): string {
  if (/^[\w.-]+\.hbs$/.test(template)) return join(import.meta.dirname, '../../../templates', template);
  const source = join(folder, `${name}.hbs`);
  writeFileSync(source, template);
  return source;
}

function makeCommand(input: CommandInput): CommandSpec {
  return { timeoutMs: 30_000, ...input };
}

function makeReload(input: ReloadInput): ReloadSpec {
  switch (input.kind) {
    case 'signal':
      return input;
    case 'command': {
      const { command, drain } = input;
      const drained = drain === undefined ? {} : { drain: { timeoutMs: 5_000, ...drain } };
      return { kind: 'command', command: makeCommand(command), ...drained };
    }
    case 'haproxy':
      return { ...input, fallback: makeCommand(input.fallback) };
    case 'supervise':
      return { stopSignal: 'SIGTERM', stopTimeoutMs: 10_000, ...input, command: makeCommand(input.command) };
  }
}
