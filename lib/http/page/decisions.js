/**
 * The log of decisions, in sentences.
 *
 * @import { Entry, Why, World } from './api.d.ts'
 */
import { duration, moment, timeOfDay } from './clock.js';
import { arrange, byId, h, on, say } from './dom.js';
import { isMasterChange } from './failover-timeline.js';
import { ask, pathOf } from './server.js';

const pageSize = 60;

/** The bridge's own corrections do not change a master. */
const choices = {
  all: () => true,
  changes: (/** @type {Entry} */ { kind, details }) => kind === 'applied' && details.cause !== 'repair',
  problems: (/** @type {Entry} */ { kind }) => kind !== 'applied',
};

/** Loops whose entries `/v1/why` puts into sentences. */
const explained = new Set(['bridge', 'crash', 'cluster-crash']);

/** @type {Readonly<Record<Entry['kind'], { sign: string, word: string }>>} */
const kinds = {
  applied: { sign: '✓', word: 'Done' },
  fenced: { sign: '⇄', word: 'Superseded' },
  held: { sign: '…', word: 'Held' },
  failed: { sign: '✕', word: 'Failed' },
};

export class Decisions {
  #limit = pageSize;
  #choice = /** @type {keyof typeof choices} */ ('all');
  /** The sentences of entries that were opened. @type {Map<number, readonly string[]>} */
  #opened = new Map();
  /** @type {() => void} */
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    byId('decisions-more').addEventListener('click', () => {
      this.#limit += pageSize * 2;
      onChange();
    });
    for (const input of document.querySelectorAll('input[name="which"]')) {
      const { value } = /** @type {HTMLInputElement} */ (input);
      input.addEventListener('change', () => {
        this.#choice = /** @type {keyof typeof choices} */ (value);
        onChange();
      });
    }
  }

  /** @param {World} world */
  show({ entries, filter }) {
    const wanted = entries.filter((entry) => entry.key.toLowerCase().includes(filter) && choices[this.#choice](entry));
    const none = byId('decisions-none');
    none.hidden = wanted.length > 0;
    say(none, entries.length === 0 ? 'Nothing has been decided yet.' : 'No such decisions in the journal.');
    byId('decisions-more').hidden = wanted.length <= this.#limit;
    arrange(byId('decisions-list'), wanted.slice(0, this.#limit), {
      key: ({ id }) => String(id),
      signature: ({ id }) => JSON.stringify(this.#opened.get(id) ?? null),
      build: (entry) => this.#build(entry),
    });
  }

  /** @param {Entry} entry */
  #build(entry) {
    const { id, at, key, loop, kind, summary, count } = entry;
    const sentences = this.#opened.get(id);
    const { sign, word } = kinds[kind];
    const toggle = on(
      h(
        'button',
        { type: 'button', 'aria-expanded': String(sentences !== undefined), 'data-focus': 'toggle' },
        h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
        h('time', { datetime: at, title: moment(at) }, timeOfDay(at)),
        h('span', { class: 'key' }, key),
        h('span', { class: 'hidden' }, ` ${word}: `),
        h('span', { class: 'summary' }, count === 1 ? summary : `${summary} (${count} times)`),
      ),
      'click',
      () => void this.#toggle(entry),
    );
    const said =
      sentences === undefined
        ? null
        : h(
            'ul',
            { class: 'sentences' },
            sentences.map((sentence) => h('li', {}, sentence)),
          );
    return h(
      'li',
      {
        'data-kind': kind,
        'data-loop': loop,
        'data-change': String(isMasterChange(entry)),
        'data-cause': String(entry.details.cause ?? ''),
      },
      toggle,
      said,
    );
  }

  /** @param {Entry} entry */
  async #toggle(entry) {
    if (this.#opened.delete(entry.id)) return this.#onChange();
    this.#opened.set(entry.id, summarize(entry));
    this.#onChange();
    if (!explained.has(entry.loop)) return;
    const sentences = await readStory(entry).catch(() => undefined);
    if (sentences === undefined || !this.#opened.has(entry.id)) return;
    this.#opened.set(entry.id, sentences);
    this.#onChange();
  }
}

/**
 * The server's own words for it; the first of them is the headline, which is shown already.
 * @param {Entry} entry
 * @returns {Promise<readonly string[] | undefined>}
 */
async function readStory({ id, key }) {
  /** @type {Why | undefined} */
  const why = await ask(`/v1/why/${pathOf(key)}?limit=1000`, { absent: 'undefined' });
  return why?.story.find((one) => one.id === id)?.sentences.slice(1);
}

/**
 * @param {Entry} entry
 * @returns {readonly string[]}
 */
function summarize({ hints, details, durationMs, error }) {
  const woken = hints.map(({ source, event, agoMs }) => `${event} from ${source}, ${duration(agoMs)} before`);
  const stages = Object.entries(details.stages ?? {}).map(
    ([stage, ms]) => `${stage.replace(/Ms$/, '')} after ${duration(Number(ms))}`,
  );
  const causes = Array.isArray(error?.causes) ? error.causes.map((cause) => `Because: ${cause}`) : [];
  return [
    ...(woken.length > 0 ? [`Woken by ${woken.join('; ')}.`] : []),
    stages.length > 0 ? `Since the hint: ${stages.join(', ')}.` : `It took ${duration(durationMs)}.`,
    ...causes,
  ];
}
