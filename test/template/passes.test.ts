import t from 'tap';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { renderText, textOf } from './world.ts';

/* A value that the format refuses removes its own pass of a loop, and no other. */

const odd = ['quo"te$', 'back`tick', 'a\nb', `q'"$`];

function render(text: string, vars: Record<string, unknown>, format: TemplateFormat = 'conf') {
  return renderText({ text, format, vars, files: { '/secret': 'hunter2' } });
}

t.test('one invalid name in a list is left out and reported, and the others are written', async (t) => {
  for (const name of odd) {
    for (const names of [
      ['a', name, 'b'],
      [name, 'a', 'b'],
      ['a', 'b', name],
    ]) {
      const result = render('# start\n{{#each vars.names}}\nserver {{this}};\n{{/each}}\n# end\n', { names });
      t.equal(textOf(result), '# start\nserver a;\nserver b;\n# end\n', name);
      t.match(result.warnings, [/^t\.hbs:3:8: \{\{this\}\} is ".*The loop leaves this item out\.$/], name);
      t.equal(result.warnings.length, 1);
    }
  }
});

t.test('the innermost loop that has another item leaves out the pass, with the rest of its text', async (t) => {
  const text =
    '{{#each vars.services as |s|}}\nbackend {{s.name}}\n{{#each s.nodes}}\n  node {{this}}\n{{/each}}\n{{/each}}\n';
  const of = (...services: [string, ...string[]][]) =>
    textOf(render(text, { services: services.map(([name, ...nodes]) => ({ name, nodes })) }));
  t.equal(of(['a', 'n1', 'n$2'], ['b', 'n3']), 'backend a\n  node n1\nbackend b\n  node n3\n');
  t.equal(of(['a', 'n$1'], ['b', 'n3']), 'backend b\n  node n3\n');
  t.equal(of(['$a', 'n1', 'n2'], ['b', 'n3']), 'backend b\n  node n3\n');
  t.match(of(['a', 'n$1'], ['b', 'n$3']), /^value-refused: t\.hbs:4:8: \{\{this\}\} is "n\$1"/);
});

t.test('the output is refused if nothing of a list can be written, or for a value outside a loop', async (t) => {
  const text = '{{#each vars.names}}\nserver {{this}};\n{{/each}}\nuser {{vars.user}};\n';
  t.match(
    textOf(render(text, { names: ['a$', 'b$'], user: 'u' })),
    /^value-refused: t\.hbs:2:8: \{\{this\}\} is "a\$"/,
  );
  t.match(textOf(render(text, { names: ['a$'], user: 'u' })), /^value-refused/);
  t.match(textOf(render(text, { names: ['a', 'b$'], user: 'u$' })), /^value-refused: t\.hbs:4:6: \{\{vars.user\}\}/);
  const fault = '{{#each vars.names}}\nserver x\\\\{{this}};\n{{/each}}\n';
  t.match(textOf(render(fault, { names: ['a', 'b'] })), /a value cannot follow a backslash/);
});

t.test('the other formats leave out passes as well', async (t) => {
  const lines = '{{#each vars.names}}\n{{this}}_HOST=x\n{{/each}}\n';
  t.equal(textOf(render(lines, { names: ['a', 'b c', 'd'] }, 'env')), 'a_HOST=x\nd_HOST=x\n');
  const text = '{{#each vars.names}}\n{{this}}\n{{/each}}\n';
  t.equal(textOf(render(text, { names: ['a', 'b\nc', 'd'] }, 'text')), 'a\nd\n');
  t.equal(textOf(render(text, { names: ['a', 'b\nc', 'd'] }, 'haproxy')), 'a\nd\n');
  t.equal(textOf(render(text, { names: ['a', '', 'd'] }, 'haproxy')), 'a\nd\n', 'an empty value');
});

t.test('a thousand invalid names are an error of the template, and the warning has no secret', async (t) => {
  const names = ['a', ...Array.from({ length: 1_000 }, (_, i) => `x$${i}`)];
  const text = '{{#each vars.names}}\nserver {{this}};\n{{/each}}\n';
  t.match(textOf(render(text, { names })), /^value-refused/);
  const secret = '{{#each vars.names}}\nserver {{this}}{{file "/secret"}};\n{{/each}}\n';
  const result = render(secret, { names: ['a', 'b c'] }, 'redis');
  t.equal(textOf(result), 'server ahunter2;\n');
  t.match(result.warnings, [/\[secret\]/]);
  t.notMatch(result.warnings.join(), /hunter2/);
});
