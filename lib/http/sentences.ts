import type { JournalEntry } from '../telemetry/journal.ts';

/** A journal entry in sentences: one line a fact, the outcome first. */
export function describeEntry(entry: JournalEntry): readonly string[] {
  return [headline(entry), ...hints(entry), ...votes(entry), ...role(entry), ...stages(entry), ...causes(entry)];
}

function headline({ at, kind, summary }: JournalEntry): string {
  switch (kind) {
    case 'applied':
      return `${at} Done: ${summary}`;
    case 'fenced':
      return `${at} Superseded: ${summary}`;
    case 'held':
      return `${at} Held: ${summary}`;
    case 'failed':
      return `${at} Failed: ${summary}`;
  }
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
  return [...(error.causes ?? []).map((cause) => `Because: ${cause}`), ...row];
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
