import type { Test } from 'tap';
import {
  type Cause,
  completeRecord,
  type Decision,
  type Situation,
  type Wait,
} from '../../../lib/bridge/plan/decision.ts';
import { decide } from '../../../lib/bridge/plan/failover.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { at, situation, view } from './world.ts';

type Expected =
  | { readonly publish: Cause; readonly is: Partial<MasterRecord> }
  | { readonly wait: Wait; readonly retryAfterMs?: number }
  | 'stands'
  | 'ask-all'
  | 'ask-consul'
  | 'conflict'
  | { readonly ask: string };

/** Situations and the decisions that they lead to. */
export type Table = Readonly<Record<string, readonly Row[]>>;

interface Row {
  readonly when: string;
  readonly given: Partial<Situation>;
  readonly expect: Expected;
}

/** Only the Sentinel that announced was asked. */
export const announced = { complete: false } as const;

/** Three Sentinels that say the same. */
export const all = (master: string, epoch: number) => [1, 2, 3].map((n) => view(n, master, epoch));

export function testDecisions(t: Test, table: Table): void {
  for (const [about, rows] of Object.entries(table)) {
    t.test(about, async (t) => {
      for (const { when, given, expect } of rows)
        compare(t, { when, decision: decide(situation(given)), expected: expect });
    });
  }
}

function compare(
  t: Test,
  row: { readonly when: string; readonly decision: Decision; readonly expected: Expected },
): void {
  const { when, decision, expected } = row;
  if (typeof expected === 'string') {
    t.equal(decision.kind, expected, when);
  } else if ('ask' in expected) {
    t.match(decision, { kind: 'ask-role', address: at(expected.ask) }, when);
  } else if ('wait' in expected) {
    t.equal(decision.kind === 'wait' ? decision.why : decision.kind, expected.wait, when);
    if (expected.retryAfterMs !== undefined) t.match(decision, { retryAfterMs: expected.retryAfterMs }, when);
  } else {
    const signature = { name: 'm', changedAt: 'now', changedBy: 'me' };
    const written = decision.kind === 'publish' ? completeRecord(decision.draft, signature) : undefined;
    t.equal(decision.kind === 'publish' ? decision.cause : decision.kind, expected.publish, when);
    const keys = Object.keys(expected.is) as (keyof MasterRecord)[];
    t.strictSame(Object.fromEntries(keys.map((key) => [key, written?.[key]])), expected.is, when);
  }
}
