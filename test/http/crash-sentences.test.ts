import t from 'tap';
import { crashReport } from '../../lib/bridge/reports.ts';
import { toEvidence } from '../../lib/crash/journal.ts';
import { describeEntry } from '../../lib/http/sentences.ts';
import { type CrashEndKind, crashEnds } from '../../lib/model/crash-end.ts';
import { Journal } from '../../lib/telemetry/journal.ts';

/* What `why` and the page say of each end of a proven crash. */
const master = { host: '10.0.0.5', port: 6379 };
const sentinel = { host: '10.0.0.7', port: 26379 };
const connection = { kind: 'refused', closedMs: 0, firstMs: 5, lastMs: 71, count: 4 } as const;

function sentencesOf(kind: CrashEndKind): readonly string[] {
  const target = kind === 'ordered' ? sentinel : undefined;
  const why = kind === 'ordered' ? undefined : `because of ${kind}`;
  const sign = { kind: 'refused', connection } as const;
  const bridges = [{ bridge: 'b', place: 'elsewhere', sees: 'crash' }] as const;
  const times = { startedMs: 0, provenMs: 71.3, endedMs: 80 };
  const details = toEvidence({ kind, sign, target, why, forMs: undefined, bridges, ...times });
  const journal = new Journal({ capacity: 10 });
  journal.observe(crashReport({ kind, name: 'm', master, sign: 'refused', sentinel: target, why, details }));
  return journal.list({ limit: 10 }).flatMap(describeEntry);
}

const found = '10.0.0.5:6379 has crashed: its host refuses connections';
const words = {
  applied: () => `Done: ${found}. Ordered 10.0.0.7:26379 to fail over`,
  fenced: (kind: string) => `Superseded: ${found}. This bridge ordered no failover: because of ${kind}`,
  held: (kind: string) => `Held: ${found}. No failover was ordered: because of ${kind}`,
};
for (const kind of Object.keys(crashEnds) as CrashEndKind[]) {
  t.test(`${kind}: the end comes first, then the evidence`, async (t) => {
    const [headline, ...evidence] = sentencesOf(kind);
    t.equal(headline?.replace(/^\S+ /, ''), words[crashEnds[kind].outcome](kind));
    t.match(evidence.join('\n'), /Its host refused 4 connections within 66 ms\.\nBridge b saw the crash\./);
    t.match(evidence.at(-1), /^Since the hint: proven after 71\.3 ms/);
  });
}
