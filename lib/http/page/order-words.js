/**
 * What each order is, in words and as a request: pure.
 *
 * @import { World } from './api.d.ts'
 *
 * @typedef {{ kind: 'approve' | 'render' | 'failover' | 'rebase', name: string }} Order `name`: the template's or the master's.
 *
 * @typedef {object} Wording
 * @property {string} title
 * @property {string} text
 * @property {readonly string[]} facts What there is to know before it is done.
 * @property {string} done What the button says.
 * @property {string} busy While it is under way.
 * @property {readonly { value: string, label: string }[]} choice Who may become master.
 * @property {string} path
 * @property {number} timeoutMs
 * @property {(chosen: { successor: string, held: string | null }) => object | undefined} body
 * @property {(answer: any) => string} describe The result; empty if the page shows it anyway.
 */
import { format } from './address.js';
import { duration } from './clock.js';
import { pathOf } from './server.js';
import { replicasOf } from './votes.js';

const answerMs = 4_000;
/** A planned failover has seven stages, each of which may take ten seconds. */
const failoverMs = 90_000;
const rebaseMs = 30_000;

/**
 * @param {Order} order
 * @param {World} world
 * @returns {Wording}
 */
export function wordingOf({ kind, name }, world) {
  switch (kind) {
    case 'approve':
      return {
        ...templateOrder(name, 'approve'),
        title: 'Approve the held text',
        text: `${name} becomes what its file holds, as the difference shows.`,
        done: 'Approve',
        body: ({ held }) => (held === null ? undefined : { digest: held }),
      };
    case 'render':
      return {
        ...templateOrder(name, 'render'),
        title: 'Try it again',
        text: `switchmaster renders ${name} and writes it once more, also if it was rolled back.`,
        done: 'Try again',
      };
    case 'failover':
      return failover(name, world);
    case 'rebase':
      return rebase(name, world);
  }
}

/**
 * @param {string} name
 * @param {'approve' | 'render'} action
 * @returns {Omit<Wording, 'title' | 'text' | 'done'>}
 */
function templateOrder(name, action) {
  const path = `/v1/templates/${pathOf(name)}/${action}`;
  return { facts: [], busy: '', choice: [], path, timeoutMs: answerMs, body: () => undefined, describe: () => '' };
}

/**
 * @param {string} name
 * @param {World} world
 * @returns {Wording}
 */
function failover(name, { masters }) {
  const master = masters.get(name);
  const record = master?.record ?? null;
  const now = record === null ? 'its master' : format(record.master);
  const replicas = master === undefined ? [] : replicasOf(master);
  return {
    title: `Fail ${name} over`,
    text: `Another server becomes master of ${name} instead of ${now}.`,
    facts: [
      'Writes wait until the new master has all of them: nothing that was acknowledged is lost.',
      'The master must answer. If the master is down, the Sentinels fail over by themselves.',
      'If a step takes too long, writes resume, and nothing changes.',
    ],
    done: 'Fail over',
    busy: 'Running…',
    choice: [
      { value: '', label: 'the replica that Sentinel chooses' },
      ...replicas.map(({ address, condition }) => ({
        value: format(address),
        label: `${format(address)}, ${condition}`,
      })),
    ],
    path: `/v1/masters/${pathOf(name)}/failover`,
    timeoutMs: failoverMs,
    body: ({ successor }) => (successor === '' ? {} : { replica: successor }),
    describe: ({ from, to, epoch, withoutWritesMs }) =>
      `${name} moved from ${format(from)} to ${format(to)}, epoch ${epoch}, with ${duration(withoutWritesMs)} without writes`,
  };
}

/**
 * @param {string} name
 * @param {World} world
 * @returns {Wording}
 */
function rebase(name, { masters }) {
  const record = masters.get(name)?.record ?? null;
  const next = record === null ? '' : ` The record is at generation ${record.generation}, epoch ${record.epoch}.`;
  return {
    title: `Begin a new generation of ${name}`,
    text: `What a majority of the Sentinels names now becomes the record, also if its epoch is lower.${next}`,
    facts: [
      'For Sentinels that were rebuilt and count their epochs from the beginning.',
      'The daemon does this by itself after rebaseAfter; it writes nothing if the Sentinels disagree.',
    ],
    done: 'Begin it',
    busy: 'Running…',
    choice: [],
    path: `/v1/masters/${pathOf(name)}/rebase`,
    timeoutMs: rebaseMs,
    body: () => undefined,
    describe: ({ record: { generation, epoch, master } }) =>
      `generation ${generation} begins with ${format(master)} at epoch ${epoch}`,
  };
}
