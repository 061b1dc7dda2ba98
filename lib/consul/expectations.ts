import { sameAddress } from '../model/address.ts';
import type { ExpectedMaster } from '../model/expected-master.ts';
import type { MasterRecord } from '../model/record.ts';

/** Usually the failover succeeds within two seconds. */
const lastsMs = 10_000;

/** In a storm of failovers, what is prepared would take the processor from the failovers. */
const mostAtOnce = 3;

interface ExpectationListener {
  readonly begun: (expected: ExpectedMaster) => void;
  /** The failover was aborted, or {@link lastsMs} are over. Also called some time after the failover has succeeded. */
  readonly ended: (expected: ExpectedMaster) => void;
}

interface Expectation {
  readonly expected: ExpectedMaster;
  readonly timer: NodeJS.Timeout;
  state: 'open' | 'decided';
}

/** The masters that the failovers under way will have, by the Sentinels that lead them. Only for what may be prepared. */
export class Expectations {
  readonly #byName = new Map<string, Expectation>();
  readonly #listeners = new Set<ExpectationListener>();

  /** Ignores what it knows, an older failover, and a failover while {@link mostAtOnce} others are under way. */
  begin(expected: ExpectedMaster): void {
    const { name, epoch } = expected;
    const known = this.#byName.get(name);
    if (known !== undefined && known.expected.epoch >= epoch) return;
    if (known !== undefined) this.#end(known);
    const open = [...this.#byName.values()].filter(({ state }) => state === 'open');
    if (open.length >= mostAtOnce) return;
    const timer = setTimeout(() => this.#end(expectation), lastsMs).unref();
    const expectation: Expectation = { expected, timer, state: 'open' };
    this.#byName.set(name, expectation);
    for (const { begun } of [...this.#listeners]) begun(expected);
  }

  /** This Sentinel gave up. Others often lose elections. */
  abort(name: string, sentinel: ExpectedMaster['sentinel']): void {
    const known = this.#byName.get(name);
    if (known?.state === 'open' && sameAddress(known.expected.sentinel, sentinel)) this.#end(known);
  }

  /** There is a record. If it is that of the failover or of a later one, another failover may be expected. */
  decided({ name, epoch }: Pick<MasterRecord, 'name' | 'epoch'>): void {
    const known = this.#byName.get(name);
    if (known !== undefined && epoch >= known.expected.epoch) known.state = 'decided';
  }

  listen(listener: ExpectationListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #end({ expected, timer }: Expectation): void {
    clearTimeout(timer);
    this.#byName.delete(expected.name);
    for (const { ended } of [...this.#listeners]) ended(expected);
  }
}
