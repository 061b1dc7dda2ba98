import { access, readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { healthCodes } from '../../lib/model/health.ts';
import type { Severity } from '../../lib/model/severity.ts';
import { Metrics } from '../../lib/telemetry/metrics.ts';
import { emptyView } from '../telemetry/empty-view.ts';

/** Every series that a daemon offers. */
async function offered(): Promise<ReadonlySet<string>> {
  const metrics = await new Metrics({ version: '1', view: () => emptyView }).registry.getMetricsAsJSON();
  const names = metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

function namesIn(expressions: readonly string[]): readonly string[] {
  return [...new Set(expressions.flatMap((expression) => expression.match(/\bswitchmaster_\w+/g) ?? []))];
}

function read(file: string): Promise<string> {
  return readFile(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');
}

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description?: string; readonly runbook?: string };
}

async function alertRules(): Promise<readonly AlertRule[]> {
  const { groups } = parse(await read('prometheus/alerts.yml')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

t.test('each alert has a severity and the page with its fix', async (t) => {
  const rules = await alertRules();
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    t.match(labels.severity, /^(?:critical|warning|info)$/, alert);
    if (labels.severity === 'info') continue;
    t.ok((annotations.description ?? '').length > 0, alert);
    const pages = annotations.runbook?.match(/docs\/[\w/-]+\.md/g) ?? [];
    t.ok(pages.length > 0, alert);
    for (const page of pages) await t.resolves(access(new URL(`../../${page}`, import.meta.url)), page);
  }
});

t.test('an alert for each level but well covers every health code', async (t) => {
  const rules = await alertRules();
  for (const [level, severity] of [
    ['unknown', 'warning'],
    ['warning', 'warning'],
    ['critical', 'critical'],
  ] as const) {
    const [rule, ...others] = rules.filter(({ expr }) => expr.includes(`switchmaster_problem{level="${level}"`));
    t.equal(others.length, 0, level);
    t.equal(rule?.labels.severity, severity);
    t.match(rule?.annotations.runbook, /operations\.md#\{\{ \$labels\.code \}\}$/);
  }
  const levels: readonly Severity[] = Object.values(healthCodes).map(({ level }) => level);
  t.strictSame([...new Set(levels)].toSorted(), ['critical', 'unknown', 'warning', 'well']);
});

t.test('no alert judges Sentinels or readiness by a limit of its own', async (t) => {
  const rules = await alertRules();
  const own = /switchmaster_(?:sentinels_|master_check|ready)/;
  t.strictSame(
    rules.filter(({ expr }) => own.test(expr)).map(({ alert }) => alert),
    [],
  );
});

t.test('every metric that the alert rules name exists', async (t) => {
  const rules = await alertRules();
  t.ok(rules.length >= 8);
  for (const { alert, annotations } of rules) t.ok(annotations.summary.length > 0, alert);
  const names = namesIn(rules.map(({ expr }) => expr));
  const known = await offered();
  t.strictSame(
    names.filter((name) => !known.has(name)),
    [],
  );
});

t.test('every metric that the dashboard names exists, and every one of ours is on it', async (t) => {
  const text = await read('grafana/switchmaster.json');
  const dashboard = JSON.parse(text) as { panels: { id: number; targets: { expr: string }[] }[] };
  const ids = dashboard.panels.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length);
  const names = namesIn(dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
  const known = await offered();
  t.strictSame(
    names.filter((name) => !known.has(name)),
    [],
  );
  const shown = new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
  const ours = [...known]
    .filter((name) => name.startsWith('switchmaster_'))
    .map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  t.strictSame(
    [...new Set(ours)].filter((name) => !shown.has(name)),
    [],
  );
});
