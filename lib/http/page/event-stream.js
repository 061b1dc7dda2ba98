/** If a stream ends this soon after it was opened, the server refused it. */
const refusedMs = 5_000;
const kinds = ['applied', 'fenced', 'held', 'failed'];

/** The daemon's event stream; the browser opens it again by itself after a short loss. */
export class EventStream {
  /** @type {EventSource | undefined} */
  #source;

  get isOpen() {
    return this.#source?.readyState === EventSource.OPEN;
  }

  close() {
    this.#source?.close();
  }

  /**
   * Opens the stream, in place of the last one.
   * @param {number} lastId The last entry that is known; 0 for none.
   * @param {{ onEntry: (event: MessageEvent) => void, onGap: () => void, onLost: () => void }} listeners
   */
  open(lastId, { onEntry, onGap, onLost }) {
    this.close();
    const source = new EventSource(`/v1/events${lastId === 0 ? '' : `?lastEventId=${lastId}`}`);
    this.#source = source;
    const openedMs = Date.now();
    for (const kind of kinds) source.addEventListener(kind, onEntry);
    source.addEventListener('gap', onGap);
    source.onerror = () => {
      if (Date.now() - openedMs > refusedMs) onLost();
    };
  }
}
