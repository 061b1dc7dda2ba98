import t from 'tap';
import { queryId } from '../../lib/model/query.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { makeWorld } from './world.ts';

function readsOf(text: string, vars: Record<string, unknown> = {}) {
  const template = compileTemplate({
    template: { file: 'app.hbs', text },
    partials: new Map([['part', { file: '_part.hbs', text: '\n {{key "app/partial"}}{{key who}}' }]]),
    format: 'text',
  });
  const { queries, computed } = template.reads(makeWorld({}, { vars, environment: 'prod' }));
  return {
    known: queries.map(queryId).sort(),
    computed: computed.map(({ site, queries }) => `${site.file}:${site.line}:${site.column} ${queries.map(queryId)}`),
  };
}

t.test(
  'what a template reads is known in every branch, where its names are written out or made of settings',
  async (t) => {
    const text = `{{#if vars.a}}{{key "x"}}{{else}}{{keyOrDefault "y" ""}}{{/if}}
{{#each (service vars.web)}}{{#each (ls (replaceAll "E" @root.environment "app/E"))}}{{value}}{{/each}}{{/each}}
{{#each redisMasters}}{{name}}{{/each}}{{#with (redisCluster "c")}}{{epoch}}{{/with}}`;
    t.strictSame(readsOf(text, { web: 'tag.web@dc2' }), {
      known: [
        'key(redis/prod/cluster/c)',
        'key(x)',
        'key(y)',
        'key-tree(app/prod)',
        'key-tree(redis/prod/record/)',
        'service(web)@dc2',
      ],
      computed: [],
    });
  },
);

t.test('a name that is computed from data is listed with its place, also in a partial', async (t) => {
  const text = `{{#each (services)}}
  {{#each (service name)}}{{host}}{{/each}}{{redisMaster name}}{{> part}}
{{/each}}{{#each (tree "list")}}{{key (key "pointer")}}{{/each}}`;
  t.strictSame(readsOf(text), {
    known: ['key(app/partial)', 'key(pointer)', 'key-tree(list)', 'key-tree(redis/prod/record/)', 'services'],
    computed: ['app.hbs:2:11 service(NAME)', 'app.hbs:3:33 key(NAME)', '_part.hbs:2:23 key(NAME)'],
  });
});
