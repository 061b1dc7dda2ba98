/**
 * Orders of an operator. A dialog describes what happens and asks for the token. The token is
 * typed here and stays in this module's memory: no storage, no cookie, no address ever holds it.
 *
 * @import { World } from './api.d.ts'
 * @import { Order, Wording } from './order-words.js'
 *
 * @typedef {{ kind: 'closed' }
 *   | { kind: 'asking', order: Order, held: string | null }
 *   | { kind: 'under-way', order: Order, afterId: number }
 *   | { kind: 'done', order: Order }} State `held`: the digest of the reviewed text.
 */
import { arrange, byId, h, say } from './dom.js';
import { wordingOf } from './order-words.js';
import { command, Refused } from './server.js';

export class Orders {
  /** @type {string | undefined} */
  #token;
  /** @type {State} */
  #state = { kind: 'closed' };
  #dialog = /** @type {HTMLDialogElement} */ (byId('order'));
  #input = /** @type {HTMLInputElement} */ (byId('token'));
  #successor = /** @type {HTMLSelectElement} */ (byId('successor'));
  #button = /** @type {HTMLButtonElement} */ (byId('order-do'));
  /** @type {{ world: () => World, onDone: (order: Order) => void }} */
  #options;

  /** @param {{ world: () => World, onDone: (order: Order) => void }} options */
  constructor(options) {
    this.#options = options;
    byId('order-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    byId('order-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      this.#input.value = '';
      this.#state = { kind: 'closed' };
    });
    byId('forget').addEventListener('click', () => this.#remember(undefined));
  }

  /** @param {Order} order */
  ask(order) {
    const world = this.#options.world();
    this.#state = { kind: 'asking', order, held: world.templates.get(order.name)?.held ?? null };
    this.#write(wordingOf(order, world));
    this.#input.value = this.#token ?? '';
    this.#dialog.showModal();
    if (world.node?.orders === 'off') return this.#switchOff();
    const first = this.#token === undefined ? this.#input : this.#button;
    first.focus();
  }

  /**
   * The steps of the action that is under way, from the journal.
   * @param {World} world
   */
  show({ entries }) {
    if (this.#state.kind !== 'under-way') return;
    const { order, afterId } = this.#state;
    const steps = entries.filter(({ loop, key, id }) => loop === 'failover-step' && key === order.name && id > afterId);
    arrange(byId('order-steps'), steps.toReversed(), {
      key: ({ id }) => String(id),
      build: ({ summary }) => h('li', {}, summary),
    });
  }

  /** @param {Wording} wording */
  #write({ title, text, facts, done, choice }) {
    say(byId('order-title'), title);
    say(byId('order-text'), text);
    byId('order-facts').replaceChildren(...facts.map((fact) => h('li', {}, fact)));
    byId('order-choice').hidden = choice.length === 0;
    this.#successor.replaceChildren(...choice.map(({ value, label }) => h('option', { value }, label)));
    this.#ready('Cancel');
    say(this.#button, done);
    this.#button.hidden = false;
    for (const id of ['order-error', 'order-done']) say(byId(id), '');
    arrange(byId('order-steps'), [], { key: String, build: () => h('li') });
  }

  async #submit() {
    if (this.#state.kind !== 'asking') return;
    const { order, held } = this.#state;
    const token = this.#input.value.trim();
    if (token === '') return say(byId('order-error'), 'Type the token first.');
    const wording = wordingOf(order, this.#options.world());
    const underWay = /** @type {State} */ ({
      kind: 'under-way',
      order,
      afterId: this.#options.world().entries[0]?.id ?? 0,
    });
    this.#state = underWay;
    this.#busy(wording.busy);
    try {
      const body = wording.body({ successor: this.#successor.value, held });
      const answer = await command(wording.path, { token, body, timeoutMs: wording.timeoutMs });
      this.#remember(token);
      this.#finish(underWay, wording.describe(answer));
    } catch (thrown) {
      this.#fail(underWay, thrown);
    }
    this.#options.onDone(order);
  }

  /**
   * @param {State} underWay
   * @param {string} result Empty if the page shows the result itself.
   */
  #finish(underWay, result) {
    if (underWay.kind !== 'under-way') return;
    const { order } = underWay;
    say(byId('spoken'), `${order.name}: ${result === '' ? 'it was accepted' : result}.`);
    if (this.#state !== underWay) return;
    if (result === '') return this.#dialog.close();
    this.#state = { kind: 'done', order };
    say(byId('order-done'), `${result}.`);
    this.#ready('Close');
    this.#button.hidden = true;
    byId('order-cancel').focus();
  }

  /**
   * @param {State} underWay
   * @param {unknown} thrown
   */
  #fail(underWay, thrown) {
    if (underWay.kind !== 'under-way') return;
    const { order } = underWay;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const refused = thrown instanceof Refused;
    if (refused && thrown.code === 'request-denied') this.#remember(undefined);
    const text = refused ? why : `No answer: ${why}. The decisions show whether it was carried out.`;
    if (this.#state !== underWay) return say(byId('spoken'), `${order.name}: ${text}`);
    this.#state = { kind: 'asking', order, held: this.#options.world().templates.get(order.name)?.held ?? null };
    // The reviewed text has changed: the operator must review the new one.
    if (refused && thrown.code === 'approve-refused') this.#button.hidden = true;
    this.#ready('Cancel');
    say(byId('order-error'), text);
  }

  /** @param {string} text */
  #busy(text) {
    this.#button.disabled = true;
    this.#input.disabled = true;
    this.#successor.disabled = true;
    say(byId('order-error'), '');
    say(byId('order-done'), text);
    say(byId('order-cancel'), 'Close');
  }

  /** @param {'Cancel' | 'Close'} leave What the button says that closes the dialog. */
  #ready(leave) {
    this.#button.disabled = false;
    this.#input.disabled = false;
    this.#successor.disabled = false;
    say(byId('order-cancel'), leave);
    if (leave === 'Cancel') say(byId('order-done'), '');
  }

  #switchOff() {
    this.#input.disabled = true;
    this.#button.hidden = true;
    say(byId('order-error'), 'This daemon takes no orders: api.tokenFile is not set in its config.');
    byId('order-cancel').focus();
  }

  /** @param {string | undefined} token */
  #remember(token) {
    this.#token = token;
    byId('forget').hidden = token === undefined;
  }
}
