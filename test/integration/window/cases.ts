/*
 * The faults in the window of a failover, and how rounds are drawn from them. A seed and a number always give the same
 * round, and any run of consecutive numbers is spread evenly over the faults.
 */

/** The message of the leader at this step (sentinel.c), or the beginning, before any Sentinel says anything. */
const moments = [
  'the beginning',
  '+try-failover',
  '+elected-leader',
  '+selected-slave',
  '+failover-state-wait-promotion',
  '+promoted-slave',
  '+failover-end',
] as const;
type Moment = (typeof moments)[number];

/** `leader`: the leading Sentinel; `others`: the other two; `bridge`: the first, or both. */
export type End = 'leader' | 'others' | 'old master' | 'selected' | 'other replica' | 'bridge' | 'Consul';

const links: readonly (readonly [End, End])[] = [
  ['leader', 'others'],
  ['leader', 'old master'],
  ['leader', 'selected'],
  ['others', 'old master'],
  ['others', 'selected'],
  ['bridge', 'leader'],
  ['bridge', 'others'],
  ['bridge', 'old master'],
  ['bridge', 'selected'],
  ['bridge', 'Consul'],
  ['old master', 'selected'],
  ['selected', 'other replica'],
];

export type Fault =
  | { readonly kind: 'killed' | 'paused'; readonly who: 'leader' | 'selected' | 'bridge' | 'Consul leader' }
  | { readonly kind: 'paused'; readonly who: 'Consul' }
  | { readonly kind: 'returns'; readonly who: 'old master' }
  | { readonly kind: 'cut'; readonly who: End; readonly from: End };

export const faults: readonly Fault[] = [
  ...(['leader', 'selected', 'bridge', 'Consul leader'] as const).flatMap((who) => [
    { kind: 'killed', who } as const,
    { kind: 'paused', who } as const,
  ]),
  { kind: 'paused', who: 'Consul' },
  { kind: 'returns', who: 'old master' },
  ...links.map(([who, from]) => ({ kind: 'cut', who, from }) as const),
];

/**
 * How the failover begins. An order (SENTINEL FAILOVER) leaves the old master alive. So does `isolated`: its clients reach
 * it, but no Sentinel and no replica does; see `isolatedFor`.
 */
const beginnings = ['kill -9', 'ordered', 'isolated'] as const;
type Beginning = (typeof beginnings)[number];

export interface WindowCase {
  readonly moment: Moment;
  readonly fault: Fault;
  readonly begin: Beginning;
  readonly replicas: 1 | 2;
  /** Editions of the servers, such as `valkey`. */
  readonly edition: string;
  /** Between the message and the fault. Half of all faults come at once. */
  readonly delayMs: number;
  /** How long a pause or a cut lasts. */
  readonly lastsMs: number;
  readonly manner: 'drop' | 'reset';
  readonly direction: 'both' | 'there' | 'back';
  /** How many bridges a fault of `bridge` concerns. */
  readonly bridges: 1 | 2;
  /** Who does not reach a master that is isolated. The last one includes Consul, which matters to the bridge beside it. */
  readonly isolatedFor: 'servers' | 'servers and bridges' | 'everybody';
  /**
   * `beside`: the bridges run on the machines of the old master and of the first replica. They pause it there if it is an isolated
   * master, and decide whether it crashed.
   */
  readonly place: 'apart' | 'beside';
  /** Whether the bridges order a failover when a process is gone. */
  readonly onCrash: 'failover' | 'wait';
  /** When a killed master starts again, without data: as soon as the fault is over, or once there is another master. */
  readonly oldMaster: 'back at once' | 'back last';
}

export function describeFault(fault: Fault): string {
  if (fault.kind === 'cut') return `${fault.who} – ${fault.from} cut`;
  return `${fault.who} ${fault.kind}`;
}

export function describeCase(window: WindowCase): string {
  const { moment, fault, begin, replicas, edition, delayMs, lastsMs, manner, direction, bridges, place } = window;
  const bridged = fault.who === 'bridge' ? ` (${bridges} of 2)` : '';
  const how = fault.kind === 'cut' ? `, ${manner}, ${direction}` : '';
  const lasting = fault.kind === 'killed' || fault.kind === 'returns' ? '' : ` for ${lastsMs} ms`;
  const isolated =
    begin === 'isolated' ? ` for ${window.isolatedFor}` : begin === 'kill -9' ? `, ${window.oldMaster}` : '';
  const crash = window.onCrash === 'failover' ? ', ordering at a crash' : '';
  return `${begin}${isolated}, ${delayMs} ms after ${moment}: ${describeFault(fault)}${bridged}${lasting}${how}; ${replicas} replica${replicas === 1 ? '' : 's'}, bridges ${place}${crash}, ${edition}`;
}

/** Round `number` (from 0) of a seed. */
export function drawCase(options: {
  readonly seed: number;
  readonly number: number;
  readonly editions: readonly string[];
  /** Default: all of them. */
  readonly among?: readonly Fault[];
}): WindowCase {
  const { seed, number, editions, among = faults } = options;
  const fault = pick(among, number % among.length);
  const combinations = shuffled(combinationsOf(fault), random(seed + 7_919 * faults.indexOf(fault)));
  const { moment, begin } = pick(combinations, Math.floor(number / among.length) % combinations.length);
  const next = random(seed * 1_000_003 + number);
  const isAtOnce = next() < 0.5;
  const isPair = fault.kind === 'cut' && (fault.who === 'other replica' || fault.from === 'other replica');
  // A bridge on the machine of a server is not cut off from it.
  const isApart = fault.kind === 'cut' && fault.who === 'bridge' && ['old master', 'selected'].includes(fault.from);
  const edition = next() < 0.5 ? pick(editions, 0) : pick(editions, Math.floor(next() * editions.length));
  return {
    moment,
    fault,
    begin,
    edition,
    replicas: isPair || next() < 0.5 ? 2 : 1,
    delayMs: isAtOnce ? 0 : Math.floor(next() * 400),
    lastsMs: Math.floor(300 * 20 ** next()),
    manner: next() < 0.7 ? 'drop' : 'reset',
    direction: pick(['both', 'both', 'there', 'back'] as const, Math.floor(next() * 4)),
    bridges: fault.kind === 'killed' || next() < 0.5 ? 1 : 2,
    isolatedFor: pick(['servers', 'servers and bridges', 'everybody'] as const, Math.floor(next() * 3)),
    oldMaster: next() < 0.25 ? 'back at once' : 'back last',
    place: !isApart && next() < 0.5 ? 'beside' : 'apart',
    onCrash: next() < 0.6 ? 'failover' : 'wait',
  };
}

/** The combinations that make sense. */
function combinationsOf(fault: Fault): readonly { readonly moment: Moment; readonly begin: Beginning }[] {
  const ends: readonly string[] = fault.kind === 'cut' ? [fault.who, fault.from] : [fault.who];
  const early = ends.includes('leader') || ends.includes('others') ? '+try-failover' : 'the beginning';
  const earliest = ends.includes('selected') ? '+selected-slave' : early;
  const isOldNeeded = ends.includes('old master');
  return moments
    .slice(moments.indexOf(earliest))
    .flatMap((moment) => beginnings.map((begin) => ({ moment, begin })))
    .filter(({ begin }) => !(fault.kind === 'returns' && begin === 'ordered'))
    .filter(({ begin }) => !(fault.kind === 'cut' && isOldNeeded && begin !== 'ordered'));
}

function pick<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there are ${list.length}, and no number ${index}`);
  return found;
}

function shuffled<T>(list: readonly T[], next: () => number): readonly T[] {
  return list
    .map((item) => ({ item, order: next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** mulberry32: numbers from 0 (included) to 1 (excluded), the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
