import { Processors } from './processors.ts';

interface QueueLimits {
  /** How many run at any time. */
  readonly jobs: number;
  /** How many run while the processors idle, because many tests wait most of their time. */
  readonly mostJobs: number;
}

export interface QueueOptions<Item> {
  readonly limits: QueueLimits;
  readonly run: (item: Item) => Promise<void>;
  readonly processors?: Pick<Processors, 'idleShare'>;
}

const observedMs = 1_000;
const spareShare = 0.25;

/** Runs every item in order, several beside each other. Rejects with the first that rejects. */
export function runQueue<Item>(
  items: readonly Item[],
  { limits, run, processors = new Processors() }: QueueOptions<Item>,
): Promise<void> {
  const waiting = [...items];
  let running = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const begin = () => {
    const item = waiting.shift();
    if (item === undefined) return;
    running += 1;
    run(item).then(end, reject);
  };
  const end = () => {
    running -= 1;
    if (running < limits.jobs) begin();
    if (running === 0) resolve();
  };
  const timer = setInterval(() => {
    if (processors.idleShare() > spareShare && running < limits.mostJobs) begin();
  }, observedMs);
  for (let job = 0; job < limits.jobs; job += 1) begin();
  if (running === 0) resolve();
  return promise.finally(() => clearInterval(timer));
}
