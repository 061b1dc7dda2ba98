/**
 * What an operator does by hand. The token is typed here and stays in this module's memory: no storage, no cookie, no
 * address ever holds it.
 *
 * @import { TemplateText } from './api.d.ts'
 *
 * @typedef {'approve' | 'render'} Action
 */
import { byId, say } from './dom.js';
import { ask, command, Refused } from './server.js';

const words = {
  approve: {
    title: 'Approve the held text',
    done: 'Approve',
    text: 'becomes what its file holds, as the difference shows.',
  },
  render: {
    title: 'Try it again',
    done: 'Try again',
    text: 'is rendered and carried out once more, also where it was rolled back.',
  },
};

export class Approval {
  /** @type {string | undefined} */
  #token;
  /** @type {{ action: Action, name: string, seen: string | null | undefined } | undefined} */
  #wish;
  #dialog = /** @type {HTMLDialogElement} */ (byId('approval'));
  #input = /** @type {HTMLInputElement} */ (byId('token'));
  /** @type {{ templates: () => ReadonlyMap<string, Partial<TemplateText>>, onDone: (name: string) => void }} */
  #options;

  /** @param {{ templates: () => ReadonlyMap<string, Partial<TemplateText>>, onDone: (name: string) => void }} options */
  constructor(options) {
    this.#options = options;
    byId('approval-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    byId('approval-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      this.#input.value = '';
      this.#wish = undefined;
    });
    byId('forget').addEventListener('click', () => this.#remember(undefined));
  }

  /**
   * @param {Action} action
   * @param {string} name
   */
  ask(action, name) {
    this.#wish = { action, name, seen: this.#options.templates().get(name)?.rendered };
    const { title, done, text } = words[action];
    say(byId('approval-title'), title);
    say(byId('approval-text'), `${name} ${text}`);
    say(byId('approval-do'), done);
    say(byId('approval-error'), '');
    this.#input.value = this.#token ?? '';
    this.#dialog.showModal();
    (this.#token === undefined ? this.#input : byId('approval-do')).focus();
  }

  async #submit() {
    const wish = this.#wish;
    const token = this.#input.value.trim();
    if (wish === undefined) return;
    if (token === '') return say(byId('approval-error'), 'Type the token first.');
    const button = /** @type {HTMLButtonElement} */ (byId('approval-do'));
    button.disabled = true;
    try {
      await this.#refuseAnother(wish);
      await command(`/v1/templates/${encodeURIComponent(wish.name)}/${wish.action}`, token);
      this.#remember(token);
      this.#dialog.close();
      say(byId('spoken'), `${wish.name}: ${words[wish.action].done.toLowerCase()} was accepted.`);
      this.#options.onDone(wish.name);
    } catch (thrown) {
      if (thrown instanceof Refused && thrown.code === 'request-denied') this.#remember(undefined);
      say(byId('approval-error'), thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      button.disabled = false;
    }
  }

  /**
   * The text may have become another one since it was looked at: what is approved is what was seen.
   * @param {{ action: Action, name: string, seen: string | null | undefined }} wish
   */
  async #refuseAnother({ action, name, seen }) {
    if (action !== 'approve') return;
    /** @type {TemplateText} */
    const now = await ask(`/v1/templates/${encodeURIComponent(name)}`);
    if (now.rendered === seen) return;
    this.#options.onDone(name);
    throw new Error('The text is another one by now. Close this, look at it, and approve again.');
  }

  /** @param {string | undefined} token */
  #remember(token) {
    this.#token = token;
    byId('forget').hidden = token === undefined;
  }
}
