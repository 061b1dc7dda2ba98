import { type HealthCode, healthCodes } from '../../lib/model/health.ts';
import { healthGuide } from '../../lib/model/health-guide.ts';
import { Metrics } from '../../lib/telemetry/metrics.ts';
import { cliParts } from './generated-cli.ts';
import { configParts } from './generated-config.ts';
import { consulParts } from './generated-consul.ts';
import { errorParts } from './generated-errors.ts';
import { helperParts } from './generated-helpers.ts';
import { httpParts } from './generated-http.ts';
import { table } from './markdown-table.ts';

/* The tables of the reference that are written from the code: `npm run docs` writes them, and a test fails when one is stale. */

/** A part of a page between `<!-- generated: NAME -->` and `<!-- end: NAME -->`. */
export interface GeneratedPart {
  readonly name: string;
  readonly page: string;
  /** Given the part as the page has it, because some of its text is written by hand. */
  readonly write: (current: string) => string;
}

export const generatedParts: readonly GeneratedPart[] = [
  { name: 'metrics', page: 'docs/reference/http.md', write: writeMetrics },
  { name: 'codes', page: 'docs/guide/operations.md', write: writeCodes },
  ...configParts,
  ...cliParts,
  ...httpParts,
  ...errorParts,
  ...consulParts,
  ...helperParts,
];

/** The page with the part as the code has it now. Throws if the page has no place for it. */
export function withPart(text: string, { name, page, write }: GeneratedPart): string {
  const [begin, end] = [`<!-- generated: ${name} -->\n`, `\n<!-- end: ${name} -->`];
  const [before, rest] = split(text, begin);
  const [, after] = split(rest ?? '', end);
  if (before === undefined || after === undefined) throw new Error(`${page} has no place for ${name}`);
  const current = (rest ?? '').slice(0, (rest ?? '').length - after.length - end.length);
  return `${before}${begin}${write(current)}${end}${after}`;
}

function split(text: string, mark: string): readonly [string, string] | readonly [] {
  const at = text.indexOf(mark);
  return at < 0 ? [] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** Words of a row that the page links, where the code has plain text. */
type Links = Readonly<Record<string, readonly (readonly [words: string, target: string])[]>>;

const metricLinks: Links = {
  switchmaster_isolated: [['isolated', '../isolation.md']],
  switchmaster_maintenance: [['maintenance', 'consul.md#maintenance']],
  switchmaster_problem: [['reason', '#health']],
};

function writeMetrics(): string {
  const view = () => {
    throw new Error('the values are not read');
  };
  const { registry } = new Metrics({ version: '0', view });
  const rows = registry.getMetricsAsArray().flatMap((metric) => {
    const { name, help } = metric;
    const { labelNames = [] } = metric as { labelNames?: readonly string[] };
    return name.startsWith('switchmaster_')
      ? [[`\`${name}\``, labelNames.join(', '), linked(help, metricLinks[name])]]
      : [];
  });
  return table(['metric', 'labels', 'meaning'], rows);
}

const codeLinks: Links = {
  maintenance: [['maintenance', '#maintenance-of-servers']],
  'master-crashed': [['is gone', '../crash.md']],
  'master-held': [['operations guide', '#symptom--check--fix']],
  'master-failed': [['error', '../reference/errors.md']],
  isolated: [
    ['`second-master`', '#second-master'],
    ['Its writes are paused', '../isolation.md'],
  ],
  'redis-denied': [['rules', '../reference/redis-acl.md']],
  'other-environment': [['`switchmaster forget M --environment ENVIRONMENT`', '#change-the-environment']],
  'instance-critical': [['checks', '../reference/checks.md']],
  'template-held': [
    ['did not write', '../reference/rendering.md#files-that-switchmaster-did-not-write'],
    ['live page', 'live-page.md'],
  ],
  'template-failed': [['error', '../reference/errors.md']],
};

/** Between two cells of which only the first mention is linked. */
const cellEnd = '\0';

function writeCodes(): string {
  const rows = Object.entries(healthGuide).map(([code, { meaning, fix }]) => {
    const links = codeLinks[code];
    const { level } = healthCodes[code as HealthCode];
    const text = linked(`${meaning}${cellEnd}${fix}`, links).split(cellEnd);
    return [`<a id="${code}"></a>\`${code}\``, level, ...text];
  });
  return table(['code', 'level', 'meaning', 'what to do'], rows);
}

/** The text with its first mention of each of the words as a link. */
function linked(text: string, links: Links[string] = []): string {
  return links.reduce((before, [words, target]) => before.replace(words, `[${words}](${target})`), text);
}
