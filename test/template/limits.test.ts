import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { makeWorld, renderText, textOf } from './world.ts';

/* No template stops the daemon, which does nothing else while it parses, compiles and renders. */

const compile = (text: string) => compileTemplate({ template: { file: 't.hbs', text }, format: 'text' });

/**
 * The processor time, in milliseconds: other programs use the machine as well. The limits are far above what the machine needs, and
 * far below what the cases took without them.
 */
function timed<T>(run: () => T): { readonly result: T; readonly ms: number } {
  const before = process.threadCpuUsage();
  const result = run();
  const { user, system } = process.threadCpuUsage(before);
  return { result, ms: (user + system) / 1_000 };
}

t.test('an expression takes time in proportion to the text', async (t) => {
  const evil = ['^(\\w+\\s?)+$', '^(a+)+$', '(a|a)*b', '(a*)*b', '(.*a){12}b'];
  for (const pattern of evil) {
    const vars = { pattern, x: `${'a'.repeat(40)}!` };
    for (const text of ['{{regexMatch vars.pattern vars.x}}', '{{regexReplaceAll vars.pattern "b" vars.x}}']) {
      const { result, ms } = timed(() => textOf(renderText({ text, format: 'text', vars })));
      t.notMatch(result, /failed/, pattern);
      t.ok(ms < 5_000, `${pattern}: ${ms} ms`);
    }
  }
});

t.test('an expensive expression over a long text is an error', async (t) => {
  const vars = { long: 'a'.repeat(1_000_000), pattern: 'a'.repeat(1_001) };
  const print = (text: string) => textOf(renderText({ text, format: 'text', vars }));
  t.match(print('{{regexMatch "(a?){500}b" vars.long}}'), /too expensive/);
  t.match(print('{{regexMatch vars.pattern "a"}}'), /longer than 1000 characters/);
  t.match(print('{{regexMatch "(a{1000}){1000}" "a"}}'), /is not a regular expression of RE2/);
  t.match(print('{{regexMatch "(?=a)" "a"}}'), /is not a regular expression of RE2/);
  t.match(print('{{regexMatch "(a)\\1" "aa"}}'), /is not a regular expression of RE2/);
});

t.test('nested loops end, also those that print nothing', async (t) => {
  const list = Array.from({ length: 450 }, (_, i) => i);
  const nest = (body: string) => `${'{{#each @root.vars.list}}'.repeat(3)}${body}${'{{/each}}'.repeat(3)}`;
  for (const body of ['', 'x'.repeat(1_000), '{{this}}', '{{#if this}}y{{/if}}']) {
    const { result, ms } = timed(() =>
      textOf(renderText({ text: nest(body), vars: { list }, limits: { maxMs: 300 } })),
    );
    t.match(
      result,
      /^template-failed: t\.hbs:1:\d+: .*(does not end within|the output is larger than)/,
      body.slice(0, 9),
    );
    t.ok(ms < 20_000, `${ms} ms`);
  }
  const grow = (depth: number): string =>
    depth === 0 ? '"a"' : `(replaceAll "a" "aaaaaaaaaaaaaaaa" ${grow(depth - 1)})`;
  t.match(textOf(renderText({ text: `{{${grow(9).slice(1, -1)}}}`, format: 'text' })), /the result is longer than/);
});

t.test('a template that nests or holds too much is refused before it is parsed', async (t) => {
  const cases = {
    blocks: `${'{{#if vars.x}}'.repeat(5_000)}${'{{/if}}'.repeat(5_000)}`,
    'inverse blocks': `${'{{~^if vars.x}}'.repeat(500)}${'{{/if}}'.repeat(500)}`,
    'else if': `{{#if vars.x}}${'{{else if vars.y}}'.repeat(5_000)}{{/if}}`,
    calls: `{{not ${'(not '.repeat(2_000)}1${')'.repeat(2_000)}}}`,
    tags: '{{vars.x}}'.repeat(50_000),
    characters: 'x'.repeat(2_000_000),
  };
  for (const [what, text] of Object.entries(cases)) {
    const { result, ms } = timed(() => {
      try {
        return compile(text).file;
      } catch (thrown) {
        return (thrown as Error).message;
      }
    });
    t.match(result, /^t\.hbs:1:1: a template may (have|nest) \d+/, what);
    t.ok(ms < 5_000, `${what}: ${ms} ms`);
  }
  for (const text of [
    '{{'.repeat(400_000),
    '{{!--'.repeat(200_000),
    '{{~!-- '.repeat(100_000),
    '{{"'.repeat(300_000),
  ]) {
    const { ms } = timed(() => t.throws(() => compile(text), { code: 'template-invalid' }, text.slice(0, 9)));
    t.ok(ms < 5_000, `${text.slice(0, 9)}: ${ms} ms`);
  }
  const deep = `${'{{#if vars.x}}'.repeat(60)}a{{else}}b${'{{/if}}'.repeat(60)}\n`;
  t.equal(textOf(compile(deep.repeat(3)).render(makeWorld({}, { vars: { x: 1 } }))), 'a\n'.repeat(3));
  t.doesNotThrow(() => compile(`{{!-- ${'{{#if x}}'.repeat(100)} --}}{{#if vars.x}}{{else if vars.y}}{{/if}}`));
});

t.test('secrets without end are an error', (t) => {
  const vars = { kib: 'a'.repeat(1_024) };
  const text = '{{#each (loop 20000)}}{{print (file "f") this @root.vars.kib}}{{/each}}';
  t.match(
    textOf(renderText({ text, vars, files: { f: 'k9z!xyzw' } })),
    /the secrets have more than 16777216 characters/,
  );
  t.end();
});
