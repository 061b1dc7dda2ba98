import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { blocksOf, projectDir } from '../docs/pages.ts';

/** What the guide has its readers write and type. */
const file = 'docs/guide/load-balancer-pair.md';
const blocks = blocksOf({ file, text: readFileSync(`${projectDir}/${file}`, 'utf8') });

/**
 * `guide`: the hosts are set up by every command of the guide, each with an agent of its own. `files`: by its config alone, with one agent
 * for both, and a `move_delay` of 1 s, which takes less time.
 */
export type SetUp = 'guide' | 'files';

interface Template {
  readonly source: string;
  readonly vars: object;
}

/** The addresses of the guide, which the test's network has too. */
export const guideAddresses = { hosts: ['10.0.0.11', '10.0.0.12'], shared: '10.0.0.100', port: 16379 } as const;

/** The config of the guide for one of the hosts. Only the servers that the hosts follow are the test's own. */
export function guideConfig({
  own,
  consul,
  sentinels,
  setUp,
}: {
  readonly own: string;
  readonly consul: string;
  readonly sentinels: readonly Address[];
  readonly setUp: SetUp;
}): object {
  const [first] = guideAddresses.hosts;
  const [text] = blocks.flatMap(({ language, content }) => (language === 'yaml' ? [content] : []));
  const differing = (text ?? '')
    .replace(`own: ${first}`, `own: ${own}`)
    .replace(`address: "${first}:`, `address: "${own}:`);
  const config = parse(differing);
  return {
    ...config,
    // Each host would remove what the other one has registered in the common agent.
    register: setUp === 'files' ? [] : config.register,
    templates: config.templates.map((template: Template) =>
      setUp === 'files' && template.source === 'keepalived.conf.hbs'
        ? { ...template, vars: { ...template.vars, move_delay: 1 } }
        : template,
    ),
    consul: { address: consul },
    sentinel: { ...config.sentinel, addresses: sentinels.map(formatAddress) },
  };
}

/** What runs here of each command. The programs that apt-get installs are there already. */
const programs = {
  'apt-get': 'no',
  systemctl: 'files',
  switchmaster: 'guide',
  ip: 'shown',
  'redis-cli': 'shown',
} as const;

/**
 * The commands of the guide, in its order: those that set a host up, and those that show the result. Throws if the guide has a command of which
 * nothing is known here.
 */
export function guideCommands(setUp: SetUp | 'shown'): readonly (readonly string[])[] {
  const lines = blocks.filter(({ language }) => language === '').flatMap(({ content }) => content.trim().split('\n'));
  const kinds: Readonly<Record<string, string>> = programs;
  return lines
    .map((line) => line.split(' '))
    .filter(([program = '']) => {
      const kind = kinds[program];
      if (kind === undefined) throw new Error(`${file} has a command that no test runs: ${program}`);
      return kind === setUp || (setUp === 'guide' && kind === 'files');
    });
}
