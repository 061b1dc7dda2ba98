import type { RenderState } from './apply/state-file.ts';
import { emptyMemory, type GoodRendering, type OwedStep, type RenderMemory } from './plan/rendering.ts';

/** What the renderer remembers of one template between its runs. Only the run for its key changes it. */
export class TemplateMemory {
  #memory: RenderMemory = emptyMemory;

  get snapshot(): RenderMemory {
    return this.#memory;
  }

  /** Takes over what a daemon before this one saved. */
  restore({ digest, members, filled = [], masters, refused }: RenderState): void {
    const proven = { digest, members, filled, masters: new Map(Object.entries(masters)) };
    this.#memory = { ...emptyMemory, owner: 'daemon', proven, refused };
  }

  /** The text took effect. Nothing is owed, refused or approved any more. */
  prove({ digest, members, lists, masters }: GoodRendering): void {
    this.#memory = { ...emptyMemory, owner: 'daemon', proven: { digest, members, filled: lists.filled, masters } };
  }

  /** The destination has a text of this daemon. */
  claim(): void {
    this.#memory = { ...this.#memory, owner: 'daemon' };
  }

  /** The file is in place, but something is left to do. */
  owe(owed: OwedStep): void {
    this.#memory = { ...this.#memory, owed };
  }

  /** The text was rolled back; the last good file is in use. */
  refuse(refused: NonNullable<RenderMemory['refused']>): void {
    this.#memory = { ...this.#memory, owed: undefined, refused };
  }

  /** Lets a text be tried again that was rolled back. */
  allowRefused(): void {
    this.#memory = { ...this.#memory, refused: undefined };
  }

  /** Releases the held text with this digest. */
  approve(digest: string): void {
    this.#memory = { ...this.#memory, approved: digest };
  }
}
