import type { Log } from '../telemetry/log.ts';
import type { SupervisorEvent } from './apply/supervisor.ts';

/** Makes a function that logs the output, starts and ends of supervised programs. */
export function makeProgramLog(log: Log): (template: string, event: SupervisorEvent) => void {
  return (template, event) => {
    switch (event.kind) {
      case 'output':
        log.info({ template, line: event.line }, 'program output');
        return;
      case 'output-lost':
        log.warn({ template, lines: event.lines }, 'program output lost');
        return;
      case 'started':
        log.info({ template, pid: event.pid }, 'program started');
        return;
      case 'signalled':
        log.info({ template, pid: event.pid, signal: event.signal }, 'signal forwarded');
        return;
      case 'found':
        if (event.what === 'ended') log.warn({ template }, 'program of a killed daemon ended');
        else log.warn({ template }, 'another daemon runs the program');
        return;
      case 'not-noted':
        log.warn({ template, why: event.why }, 'program not noted');
        return;
      case 'ended': {
        const { how, restartMs } = event;
        if (restartMs === undefined) log.info({ template, how }, 'program ended');
        else log.warn({ template, how, restartMs: Math.round(restartMs) }, 'program ended');
      }
    }
  };
}
