import t from 'tap';
import type { SwitchmasterError } from '../../lib/errors.ts';
import { Redactor } from '../../lib/model/redaction.ts';
import { serializeError } from '../../lib/telemetry/serialize.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { renderText } from './world.ts';

const password = 'S3CRET-REDIS-0123456789-0123456789-0123456789-0123456789-end';
const given = {
  files: { pw: `${password}\n`, json: JSON.stringify({ pass: password, n: 'x' }), short: 'ab3\n' },
  env: { PW: password, SPLIT: `first-secret,second-secret`, PIN: '123456' },
  known: {
    'key(weight)': { key: 'weight', value: 'plain-weight', modifyIndex: 1 },
    [`key(${password})`]: { key: password, value: 'answer', modifyIndex: 1 },
  },
  vars: { plain: 'plain-setting' },
};

function render(text: string, format: TemplateFormat = 'text') {
  return renderText({ text, format, ...given });
}

function textOf(error: SwitchmasterError): string {
  return JSON.stringify({ ...serializeError(error), stack: error.stack });
}

t.test('a value that comes from a file or the environment is written but not shown', (t) => {
  for (const [text, shown] of [
    ['a {{trim (file "pw")}}.', 'a [secret].'],
    ['{{env "PW"}}{{toLower (env "PW")}}{{sha256 (env "PW")}}', '[secret][secret][secret]'],
    ['{{#each (split "," (env "SPLIT"))}}{{this}};{{/each}}', '[secret];[secret];'],
    ['{{#with (parseJSON (file "json"))}}{{pass}}{{/with}}', '[secret]'],
    ['{{raw (trim (file "pw"))}}', '[secret]'],
    ['{{toJSON (parseJSON (file "json"))}}', '[secret]'],
    ['{{add (parseInt (env "PIN")) 1}}', '[secret]'],
    ['{{env "NONE" "default"}}', 'default'],
    ['{{default vars.plain (env "PW")}} {{key "weight"}}', 'plain-setting plain-weight'],
    ['{{key (env "PW")}}', 'answer'],
    ['{{trim (file "short")}}', 'ab3'],
  ] as const) {
    const result = render(text);
    t.match(result, { kind: 'rendered', shown }, text);
    t.notMatch(result.kind === 'rendered' && result.text, '[secret]', text);
  }
  t.match(render('{"a": {{env "PW"}}, "b": "{{env "PW"}}"}', 'json'), { shown: '{"a": "[secret]", "b": "[secret]"}' });
  t.end();
});

t.test('no failure of a render has a secret, not even a part of it', (t) => {
  const cases: readonly (readonly [string, TemplateFormat, string])[] = [
    ['requirepass {{file "pw"}}', 'conf', 'value-refused'],
    ['a: b {{replaceAll "-" ": " (env "PW")}}', 'yaml', 'value-refused'],
    ['{{#with (parseJSON (file "pw"))}}{{a}}{{/with}}', 'text', 'template-failed'],
    ['{"a": {{raw (trim (file "pw"))}} }', 'json', 'template-failed'],
    ['{"a": "{{env "PW"}}" "b"}', 'json', 'template-failed'],
    ['a: [{{raw (env "PW")}}: "{{file "pw"}}', 'yaml', 'template-failed'],
    ['{{parseInt (env "PW")}}', 'text', 'template-failed'],
    ['{{add (env "PW") 1}}', 'text', 'template-failed'],
    ['{{regexMatch (replaceAll "S" "(" (env "PW")) "x"}}', 'text', 'template-failed'],
    ['{{base64Decode (trim (file "pw"))}}', 'text', 'template-failed'],
    ['{{redisMaster (env "PW")}}', 'text', 'pending'],
    ['{{key (replaceAll "0" "1" (env "PW"))}}', 'text', 'pending'],
    ['{{length (trim (file "pw"))}}', 'text', 'template-failed'],
  ];
  for (const [text, format, kind] of cases) {
    const result = render(text, format);
    if (result.kind !== 'failed') {
      t.equal(result.kind, kind, text);
      continue;
    }
    t.equal(result.error.code, kind, text);
    for (const part of [password.slice(0, 8), password.slice(-8), '3CRET', 'S 3CRET']) {
      t.notMatch(textOf(result.error), part, text);
    }
  }
  t.match(render('requirepass {{file "pw"}}', 'conf'), {
    error: { message: /\{\{file "pw"\}\} is \[secret\]: control/ },
  });
  t.match(render('{"a": "{{env "PW"}}" "b"}', 'json'), { error: { message: /is not JSON: Expected ',' or '}'/ } });
  t.end();
});

t.test('a secret is redacted as it is, by lines, as JSON writes it, and cut short', (t) => {
  const redactor = new Redactor();
  t.equal(redactor.redact('nothing is known'), 'nothing is known');
  redactor.learn(['pass word "x"\n', 'line-one\nline-two\n', 'abc', 'k9z!']);
  t.equal(redactor.redact('it said: pass word "x"!'), 'it said: [secret]!');
  t.equal(redactor.redact(JSON.stringify({ a: 'pass word "x"' })), '{"a":"[secret]"}');
  t.equal(redactor.redact('line-two, abc, k9z!k9z!'), '[secret], abc, [secret]');
  t.equal(redactor.redact('cut: "pass word... (13 characters)"'), 'cut: "[secret]... (13 characters)"');
  t.strictSame(redactor.redactAll({ argv: ['x', 'k9z!'], n: 1, none: null }), {
    argv: ['x', '[secret]'],
    n: 1,
    none: null,
  });
  t.end();
});

t.test('of secrets that change without end, the newest are remembered', (t) => {
  const redactor = new Redactor();
  for (let i = 0; i < 3_000; i += 1) redactor.learn([`secret-${String(i).padStart(6, '0')}-${i}`]);
  t.equal(redactor.redact('secret-002999-2999'), '[secret]');
  redactor.learn(Array.from({ length: 5_000 }, (_, i) => `${i}-of-one-file`));
  t.equal(redactor.redact('0-of-one-file'), '[secret]');
  t.end();
});
