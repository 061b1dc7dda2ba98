import type { WatchEvent } from '../consul/watch-state.ts';
import type { Watches } from '../consul/watches.ts';
import type { Publish } from '../model/publish.ts';
import { type ConsulQuery, queryId } from '../model/query.ts';
import { giveFile, type TemplateSpec } from '../model/template-spec.ts';
import { LeftProgram } from './apply/left-program.ts';
import { Supervisor, type SupervisorEvent } from './apply/supervisor.ts';
import { Debouncer } from './debounce.ts';
import { type Entry, makeEntry } from './entry.ts';
import type { Wake } from './hint.ts';
import { LiveTemplate } from './observe/live-template.ts';
import { namesMasters } from './plan/urgency.ts';

export interface OpenOptions {
  readonly environment: string | undefined;
  readonly publish?: Publish;
  readonly watches: Watches;
  /** Secrets of the config. Default: none. */
  readonly secrets?: readonly string[];
  readonly wake: Wake;
  /** Start commands sooner. Default: they are started directly. */
  readonly shells?: Entry['shells'];
  /** Whether any record is not followed now. Default: none. */
  readonly holdsRecords?: () => boolean;
  /** Receives what supervised programs write, and their starts and ends. */
  readonly onProgram?: (name: string, event: SupervisorEvent) => void;
}

/** Makes a template's entry. Its watches begin with its first render, and wake it from then on. */
export function openEntry(spec: TemplateSpec, options: OpenOptions): Entry {
  const wake = (event: string) => options.wake(spec.name, { source: 'consul', event });
  const debouncer = new Debouncer(spec.wait, wake);
  const onChange = (query: ConsulQuery, event: WatchEvent) => {
    const text = `${event} ${queryId(query)}`;
    const news = template.noteChange(query);
    if (news === 'incomplete') return;
    if (news === 'changed' && namesMasters(query) === 'other') {
      debouncer.changed(text);
      return;
    }
    // The run that starts now sees the debounced changes too.
    debouncer.close();
    options.wake(spec.name, { source: 'consul', event: text, kind: 'masters', urgency: template.newUrgency });
  };
  const onFileChange = () => options.wake(spec.name, { source: 'file', event: 'changed' });
  const template = new LiveTemplate({ ...options, spec, onChange, onFileChange });
  return makeEntry({
    template,
    debouncer,
    supervisor: makeSupervisor(template, options),
    shells: options.shells,
  });
}

function makeSupervisor({ spec, redactor }: LiveTemplate, options: OpenOptions): Supervisor | undefined {
  const { name, destination, reload } = spec;
  if (reload?.kind !== 'supervise') return undefined;
  const { command, stopSignal, stopTimeoutMs } = reload;
  const supervisor: Supervisor = new Supervisor({
    argv: giveFile(command.argv, destination),
    env: command.env,
    stopSignal,
    stopTimeoutMs,
    left: new LeftProgram(destination),
    onEvent: (event) => {
      options.onProgram?.(name, redactor.redactAll(event));
      if (event.kind === 'ended' && supervisor.problem !== undefined)
        options.wake(name, { source: 'program', event: 'ended' });
    },
  });
  return supervisor;
}
