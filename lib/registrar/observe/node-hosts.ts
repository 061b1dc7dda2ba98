import { networkInterfaces } from 'node:os';

export interface NodeHostsOptions {
  /** @throws where the operating system refuses, as under systemd's RestrictAddressFamilies without AF_NETLINK */
  readonly list?: () => readonly string[];
  /** Called when the listing begins to fail, with why, and with undefined when it works again. */
  readonly onProblem?: (why: string | undefined) => void;
}

/** The addresses of this node, read when they are needed. While they cannot be read, the last ones count. */
export class NodeHosts {
  readonly #list: () => readonly string[];
  readonly #onProblem: (why: string | undefined) => void;
  #last: readonly string[] = [];
  #why: string | undefined;

  constructor({ list = interfaceHosts, onProblem = () => undefined }: NodeHostsOptions) {
    this.#list = list;
    this.#onProblem = onProblem;
  }

  /** Whether the last reading failed. */
  get failing(): boolean {
    return this.#why !== undefined;
  }

  read(): readonly string[] {
    try {
      this.#last = this.#list();
      this.#report(undefined);
    } catch (thrown) {
      this.#report(thrown instanceof Error ? thrown.message : String(thrown));
    }
    return this.#last;
  }

  #report(why: string | undefined): void {
    if (why === this.#why) return;
    this.#why = why;
    this.#onProblem(why);
  }
}

/** Addresses by which other machines reach this one. */
function interfaceHosts(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );
}
