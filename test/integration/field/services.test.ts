import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'services' });
const consul = await sandbox.consul();

const names = [
  'go.micro.api',
  'a b',
  'a/b',
  '100%',
  'a%41',
  'a?b',
  'a#b',
  'a@b',
  'a~b',
  'a|b',
  'a|any',
  'кэш',
  'a&b',
  'web',
];
/** Consul registers these, and no request can ask for them. */
const unaskable = ['..', '.', '/a', 'a//b', 'a/../b'];
const tags = ['my tag', 'a@b', 'a|b', 'ключ', 'v1.2'];

async function register(name: string, port: number): Promise<void> {
  await consul.put('/v1/agent/service/register', {
    ID: `id-${port}`,
    Name: name,
    Port: port,
    Tags: name === 'web' ? tags : [],
  });
}

t.test(
  'services and tags with any characters are found, and one that cannot be asked for stops no other',
  async (t) => {
    for (const [i, name] of [...names, ...unaskable].entries()) await register(name, i + 1);
    const folder = makeFolder(t);
    const rendering = startRendering(t, {
      consul,
      folder,
      specs: [
        {
          name: 'all',
          template: '{{#each (services)}}{{#each (service name)}}{{name}}={{port}}\n{{/each}}{{/each}}',
          format: 'text',
        },
        {
          name: 'one',
          template:
            '{{#each (service "go.micro.api")}}{{port}}{{/each}} {{#each (service "a b|any")}}{{port}}{{/each}}\n',
          format: 'text',
        },
        {
          name: 'tags',
          template:
            '{{#each vars.tags as |tag|}}{{length (service (replaceAll "TAG" tag "TAG.web"))}}{{length (service "web" tag=tag)}} {{/each}}\n',
          format: 'text',
          vars: { tags },
        },
      ],
      resyncMs: 60_000,
    });
    const { warnings } = await rendering.until('current', 'all');
    const lines = () => readFileSync(join(folder, 'all'), 'utf8').trimEnd().split('\n');
    const wanted = names.map((name, i) => `${name}=${i + 1}`);
    t.same(
      lines().filter((line) => !line.startsWith('consul=')),
      wanted.toSorted(),
    );
    t.same(
      warnings,
      unaskable.toSorted().map((name) => `No request can ask Consul for the service "${name}": give it another name.`),
    );
    await rendering.until('current', 'one');
    t.equal(readFileSync(join(folder, 'one'), 'utf8'), '1 2\n');
    await rendering.until('current', 'tags');
    t.equal(readFileSync(join(folder, 'tags'), 'utf8'), `${tags.map(() => '11').join(' ')} \n`);

    await consul.put('/v1/agent/service/register', { ID: 'id-1', Name: 'go.micro.api', Port: 99 });
    await waitFor('the new port', async () => readFileSync(join(folder, 'one'), 'utf8'), {
      until: (text) => text === '99 2\n',
    });
    t.ok(lines().length >= names.length);
  },
);
