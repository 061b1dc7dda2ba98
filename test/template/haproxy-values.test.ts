import fc from 'fast-check';
import t from 'tap';
import { parameters } from '../property/parameters.ts';
import { renderText, textOf } from './world.ts';

/* haproxy.cfg: a value is no keyword, and does not change how HAProxy reads the values after it. */

function printBoth(template: string, values: { readonly a: string; readonly b: string }): string {
  const text = template.replaceAll('{{a}}', '{{vars.a}}').replaceAll('{{b}}', '{{vars.b}}');
  return textOf(renderText({ text: `${text}\n`, format: 'haproxy', vars: values }));
}

/** Lines in which a value `a` might be read as a keyword, so that the reading of `b` changes. */
const shifts = [
  'server {{a}} {{b}}:6379 check',
  'server s 10.0.0.1:1 cookie {{a}} addr {{b}}',
  'server s 10.0.0.1:1 cookie {{a}} sni {{b}}',
  'server s 10.0.0.1:1 new-keyword {{a}} addr {{b}}',
  'server s 10.0.0.1:1 {{a}} {{b}}',
  'server s 10.0.0.1:1 ad{{a}} {{b}}',
  'peer {{a}} {{b}}',
  'tcp-check connect comment {{a}} addr {{b}}',
  'tcp-check connect comment {{a}} port {{b}}',
  'http-response set-header {{a}} "{{b}}"',
  'http-request return status 200 {{a}} X "{{b}}"',
  'http-request return status 200 {{a}} string "{{b}}"',
  'http-request return status 200 string {{a}} lf-string "{{b}}"',
  'http-request deny {{a}} { {{b}} }',
  'http-request set-header X Y {{a}} { {{b}} }',
  'http-request deny if { path {{a}} } { {{b}} }',
  'http-check expect header name {{a}} value-lf "{{b}}"',
  'http-check expect status-code {{b}}',
  'http-check send hdr {{a}} "{{b}}"',
  'http-check send meth {{a}} uri-lf "{{b}}"',
  'option {{a}} GET / {{b}}',
  'stats {{a}} {{b}}',
  'redirect code {{a}} location {{b}}',
  'log-format {{a}} {{b}}',
  'acl {{a}} {{b}}',
  'filter bwlim-in {{a}} key {{b}}',
  'stick on src table {{a}} if { {{b}} }',
];
const evaluated = ['$NAME', '%[env(HOME)]', 'env(HOME)'];

t.test('whether a value is permitted does not depend on the values before it', async (t) => {
  const keywords =
    '-m addr sni source usesrc socks4 if unless hdr lf-string string format socket key location httpchk { name'.split(
      ' ',
    );
  fc.assert(
    fc.property(
      fc.constantFrom(...shifts),
      fc.oneof(fc.constantFrom(...keywords), fc.string({ unit: fc.constantFrom(...'-maddrif.x'), minLength: 1 })),
      fc.oneof(fc.constantFrom(...evaluated), fc.string({ unit: fc.constantFrom(...'a$%[](), x'), minLength: 1 })),
      (line, a, b) => {
        const written = (first: string) => {
          const text = printBoth(line, { a: first, b });
          if (text.startsWith('value-refused')) return text.replace(/^.*?(?=\{\{)/s, '');
          return text.replace(printBoth(line.replace(/\{\{b\}\}/, 'B'), { a: first, b }).split('B')[0] ?? '', '');
        };
        return written(a) === written('neutral');
      },
    ),
    parameters({ runs: 150 }),
  );
  for (const [line, a, b] of [
    ['server {{a}} {{b}}:6379 check', '-m', '$NAME'],
    ['peer {{a}} {{b}}', '-m', '$NAME'],
    ['server s 10.0.0.1:1 cookie {{a}} addr {{b}}', 'addr', '$NAME'],
    ['server s 10.0.0.1:1 cookie {{a}} sni {{b}}', 'sni', 'env(HOME)'],
    ['server s 10.0.0.1:1 cookie {{a}} addr {{b}}', 'if', '$NAME'],
    ['server s 10.0.0.1:1 new-keyword {{a}} addr {{b}}', 'x', '$NAME'],
    ['tcp-check connect comment {{a}} addr {{b}}', 'addr', '$NAME'],
    ['tcp-check connect comment {{a}} port {{b}}', 'x', 'env(HOME)'],
    ['http-check expect {{a}} status-code {{b}}', 'x', 'env(HOME)'],
    ['http-request set-header X Y {{a}} { {{b}} }', 'if', 'env(HOME)'],
    ['http-request return status 200 {{a}} string "{{b}}"', 'hdr', '%[env(HOME)]'],
  ] as const)
    t.match(printBoth(line, { a, b }), /^value-refused/, `${line} ${a} ${b}`);
  t.equal(
    printBoth('http-response set-header {{a}} "{{b}}"', { a: '-m', b: '%[env(HOME)]' }),
    'http-response set-header -m "%%[env(HOME)]"\n',
  );
});
