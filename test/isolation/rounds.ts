// Partitions in a network of its own: started by main.ts. argv: rounds for each protection, down-after in milliseconds.
import { Sandbox } from '../sandbox/sandbox.ts';
import { type Partition, type Protection, playPartition, protections } from './partition.ts';
import { startStage } from './stage.ts';

const [rounds = 20, downAfterMs = 5_000] = process.argv.slice(2).map(Number);
const write = (text: string) => process.stdout.write(`${text}\n`);

const sandbox = await Sandbox.open({ name: 'isolation' });
try {
  const stage = await startStage(sandbox, { downAfterMs });
  const all: Partition[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const protection of protections) {
      const partition = await playPartition(stage, protection);
      all.push(partition);
      write(`${round}/${rounds} ${JSON.stringify(partition)}`);
    }
  }
  for (const protection of protections) write(summarize(protection, all));
  const late = all.filter((one) => one.protection === 'pause' && one.afterPromotion + one.afterHeal > 0);
  if (late.length > 0) write(`writes were acknowledged after the promotion in ${late.length} rounds with a pause`);
  process.exitCode = late.length > 0 ? 1 : 0;
} finally {
  await sandbox.close();
}
process.exit();

function summarize(protection: Protection, all: readonly Partition[]): string {
  const own = all.filter((one) => one.protection === protection);
  const range = (read: (one: Partition) => number) => {
    const sorted = own.map(read).toSorted((a, b) => a - b);
    return `${sorted[0]} / ${sorted[Math.floor(sorted.length / 2)]} / ${sorted.at(-1)}`;
  };
  const parts = [
    `lost ${range(({ lost }) => lost)}`,
    `last acknowledgement ${range(({ lastAckMs }) => lastAckMs)} ms after the cut`,
    `promotion ${range(({ promotedMs }) => promotedMs)} ms`,
    `acknowledged after the promotion ${range(({ afterPromotion }) => afterPromotion)}`,
    `acknowledged after the heal ${range(({ afterHeal }) => afterHeal)}`,
  ];
  return `${protection}, ${own.length} rounds (least / median / most): ${parts.join(', ')}`;
}
