// The minimal program that commits as many changes of master as a storm did, for bench/growth/storm.ts to compare with. argv: JSON
// with Consul's address and the number of transactions. Prints one line of JSON.
import { transactionOf, transactionSender } from '../bare-transaction.ts';

const { consul, transactions } = JSON.parse(process.argv[2] ?? '') as {
  readonly consul: { readonly host: string; readonly port: number };
  readonly transactions: number;
};
const send = transactionSender(consul, { connections: 8 });
const address = { host: '10.0.0.1', port: 6379 };
await send([{ KV: { Verb: 'set', Key: 'bare/warm', Value: '' } }]);
const beganMs = performance.now();
await Promise.all(
  Array.from({ length: transactions }, (_, i) =>
    send(transactionOf(`storm${i}`, { master: address, old: address, index: 0 })),
  ),
);
process.stdout.write(`${JSON.stringify({ totalMs: performance.now() - beganMs })}\n`);
