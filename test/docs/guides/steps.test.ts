import t from 'tap';
import { containsShown } from './shown-output.ts';
import { stepsOf } from './steps.ts';

const page = (...blocks: string[]) => ({
  file: 'page.md',
  text: blocks.map((block) => `Text.\n\n${block}\n`).join('\n'),
});
const fence = (info: string, content = 'x') => `\`\`\`${info}\n${content}\n\`\`\``;

t.test('the words after the language say what a reader does with a block', async (t) => {
  const steps = stepsOf(
    page(
      fence('yaml file=/etc/a.yml on=redis-2', 'a: 1'),
      fence('sh run'),
      fence('text shows=eventually'),
      fence('sh run=fails'),
      fence('sh aside'),
      fence('redis each=6379,26379'),
      fence('sh run on=redis-2,redis-3'),
    ),
  );
  t.match(steps, [
    { kind: 'file', path: '/etc/a.yml', machines: ['redis-2'], content: 'a: 1\n', line: 3 },
    { kind: 'commands', ends: 'well', machines: [] },
    { kind: 'output', reading: 'eventually' },
    { kind: 'commands', ends: 'failing' },
    { kind: 'aside' },
    { kind: 'redis', ports: [6379, 26379] },
    { kind: 'commands', machines: ['redis-2', 'redis-3'] },
  ]);
});

t.test('a block that says nothing, or something unknown, is an error that names its place', async (t) => {
  for (const info of [
    '',
    'sh',
    'yaml file=',
    'yaml file=relative.yml',
    'sh run=never',
    'text shows=later',
    'redis each=all',
  ])
    t.throws(() => stepsOf(page(fence('sh run'), fence(info))), { message: /^page\.md:9: / }, info);
});

t.test('an output without commands above it is an error', async (t) => {
  t.throws(() => stepsOf(page(fence('yaml file=/etc/a.yml'), fence('text shows'))), { message: /no commands above/ });
  t.throws(() => stepsOf(page(fence('text shows'))), { message: /no commands above/ });
});

t.test('an indented block of a list is a block too', async (t) => {
  t.match(stepsOf(page('1. First\n\n   ```sh run\n   echo one\n     two\n   ```')), [{ content: 'echo one\n  two\n' }]);
});

t.test('an output contains what a page shows', async (t) => {
  const text =
    'shard1  10.0.0.6:6379  passing  epoch 12, confirmed, 4 min ago\n├─ replica 10.0.0.5:6379  in sync\nlast\n';
  for (const shown of [
    'shard1 10.0.0.6:6379 passing epoch 7, confirmed, 12.5 s ago',
    'shard1 … passing …\n├─ replica 10.0.0.5:6379  in sync\n',
    'shard1 …\n…\nlast',
    'last',
  ])
    t.ok(containsShown(text, shown), shown);
  for (const shown of [
    '10.0.0.6:6379',
    'shard1 10.0.0.5:6379 …',
    'shard1 …\nlast',
    'las',
    '├─ replica 10x0.0.5:6379  in sync',
  ])
    t.notOk(containsShown(text, shown), shown);
  t.ok(containsShown('at 2026-11-29T23:28:23Z, 01:02:03', 'at 2026-01-01T00:00:00Z, 11:11:11'));
});
