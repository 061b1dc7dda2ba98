import { asMap } from '../model/json.ts';
import type { JournalEntry } from '../telemetry/journal.ts';

/** A journal entry in sentences: one line a fact, the outcome first. */
export function describeEntry(entry: JournalEntry): readonly string[] {
  return [
    headline(entry),
    ...hints(entry),
    ...votes(entry),
    ...role(entry),
    ...describeCrash(entry),
    ...stages(entry),
    ...causes(entry),
  ];
}

const words = { applied: 'Done', fenced: 'Superseded', held: 'Held', failed: 'Failed' } as const;

function headline({ at, kind, summary, count, firstAt }: JournalEntry): string {
  const times = count === 1 ? '' : ` (${count} times since ${firstAt})`;
  return `${at} ${words[kind]}: ${summary}${times}`;
}

function hints(entry: JournalEntry): readonly string[] {
  const texts = entry.hints.map(({ source, event, agoMs }) => `${event} from ${source}, ${agoMs} ms before`);
  return texts.length === 0 ? [] : [`Woken by ${texts.join('; ')}.`];
}

function votes({ details }: JournalEntry): readonly string[] {
  if (!Array.isArray(details.votes)) return [];
  return details.votes.flatMap((vote: unknown) => {
    const { sentinel, master, epoch, condition } = asMap(vote);
    if (typeof sentinel !== 'string') return [];
    return [`Sentinel ${sentinel} names ${text(master)} at epoch ${text(epoch)} (${text(condition)}).`];
  });
}

function role({ details }: JournalEntry): readonly string[] {
  const { address, role: answer } = asMap(details.role);
  return typeof answer === 'string' ? [`${text(address)} answered ROLE: ${answer}.`] : [];
}

/** The evidence of a crash: see docs/crash.md. */
export function describeCrash({ details }: JournalEntry): readonly string[] {
  if (details.cause !== 'crash') return [];
  const { refusals, forMs, keys } = asMap(details.sign);
  const found =
    keys === undefined
      ? `Its host refused ${text(refusals)} connections within ${text(forMs)} ms.`
      : `The process at its address has ${text(keys)} keys without a time to live.`;
  const bridges = listOf(details.bridges).map(
    ({ bridge, place, sees }) =>
      `Bridge ${text(bridge)}${place === 'beside' ? ' beside it' : ''} ${sees === 'crash' ? 'saw' : 'did not see'} the crash.`,
  );
  const sentinels = listOf(details.sentinels).map(
    ({ sentinel, link, condition }) =>
      `Sentinel ${text(sentinel)} had ${link === 'up' ? 'a' : 'no'} connection to it (${text(condition)}).`,
  );
  const replicas = listOf(details.replicas).map(({ address, link, wasInStep, offset }) =>
    offset === undefined
      ? `Replica ${text(address)} was ${wasInStep === true ? 'in step' : 'not known to be in step'}; its link: ${text(link)}.`
      : `Replica ${text(address)} had the data up to offset ${text(offset)}; its link: ${text(link)}.`,
  );
  const nodes = listOf(details.nodes).map(
    ({ node, link, health }) =>
      `Node ${text(node)} had ${link === 'connected' ? 'a' : 'no'} connection to it (${text(health)}).`,
  );
  return [found, ...bridges, ...sentinels, ...nodes, ...replicas];
}

function stages({ details, durationMs }: JournalEntry): readonly string[] {
  const texts = Object.entries(asMap(details.stages)).map(
    ([stage, ms]) => `${stage.replace(/Ms$/, '')} after ${text(ms)} ms`,
  );
  if (texts.length > 0) return [`Since the hint: ${texts.join(', ')}.`];
  return [`It took ${durationMs} ms.`];
}

function causes({ error, failures }: JournalEntry): readonly string[] {
  if (error === null) return [];
  const row = failures > 1 ? [`It was failure ${failures} in a row.`] : [];
  return [...(Array.isArray(error.causes) ? error.causes : []).map((cause) => `Because: ${cause}`), ...row];
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(asMap) : [];
}

function text(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
