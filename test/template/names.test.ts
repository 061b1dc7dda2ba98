import t from 'tap';
import { renderText, textOf } from './world.ts';

const names = ['team/app', 'a@b', 'my master', 'кэш', 'код', '..', '-x', 'a:', '#', '"', 'a\nb', ' '];

t.test('a name becomes a word and a name of a section, and no two become one', async (t) => {
  const reduced = (helper: string, name: string) =>
    textOf(renderText({ text: `{{${helper} vars.name}}`, format: 'yaml', vars: { name } }));
  for (const helper of ['sectionName', 'wordName']) {
    const all = names.map((name) => reduced(helper, name));
    for (const one of all) t.match(one, /^[A-Za-z0-9_][A-Za-z0-9_.:/@+=-]*$/);
    t.equal(new Set(all).size, names.length, helper);
    for (const name of ['shard1', 'shard_1', 'shard-1.eu', 'a:b']) t.equal(reduced(helper, name), name);
  }
  t.equal(reduced('wordName', 'team/app'), 'team/app');
  t.match(reduced('sectionName', 'team/app'), /^team_app-[0-9a-f]{8}$/);
});
