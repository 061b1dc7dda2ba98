import t from 'tap';
import { Conditions } from '../../lib/daemon/conditions.ts';
import { IgnoredKeyReporter } from '../../lib/daemon/ignored-keys.ts';
import type { KvEntry } from '../../lib/model/catalog.ts';
import { removalMark, removalText } from '../../lib/model/continuity.ts';
import { judgeIgnoredKeys } from '../../lib/model/judgement/consul.ts';
import type { Log } from '../../lib/telemetry/log.ts';

const prefix = 'redis/record/';
const keys = (names: readonly string[]): readonly KvEntry[] =>
  names.map((name) => ({ key: `${prefix}${name}`, value: 'junk', modifyIndex: 1 }));
const many = Array.from({ length: 3_000 }, (_, i) => `m${i}/note`);

function start() {
  const lines: string[] = [];
  const log = { warn: (fields: object, message: string) => lines.push(JSON.stringify({ ...fields, message })) };
  const conditions = new Conditions({ onConsulChange: () => undefined });
  return { lines, conditions, reporter: new IgnoredKeyReporter({ prefix, log: log as unknown as Log, conditions }) };
}

t.test('the mark of a removal is not logged', async (t) => {
  const { lines, reporter } = start();
  reporter.observe(prefix, [{ key: removalMark(`${prefix}a`), value: removalText, modifyIndex: 1 }]);
  t.same(lines, []);
  reporter.observe(prefix, [{ key: `${prefix}a/`, value: '', modifyIndex: 1 }]);
  t.equal(lines.length, 1);
});

t.test('each key that is no record is logged once, and thousands of them in a few lines', async (t) => {
  const { lines, conditions, reporter } = start();
  reporter.observe(prefix, keys(['a', 'b']));
  reporter.observe(prefix, keys(['a', 'b']));
  t.equal(lines.length, 2);
  reporter.observe(prefix, keys(['a', 'b', ...many]));
  t.equal(lines.length, 13);
  t.match(lines.at(-1), /"further":2990,.*"further keys are no records"/);
  const reasons = judgeIgnoredKeys(conditions.ignoredKeys);
  t.equal(reasons.length, 10);
  t.match(reasons.at(-1)?.text, /does not hold a record\. 2992 further keys do not hold one either\.$/);
  t.notMatch(judgeIgnoredKeys(conditions.ignoredKeys.slice(0, 10)).at(-1)?.text, /further/);
});
