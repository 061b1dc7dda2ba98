import { text as readText } from 'node:stream/consumers';
import t from 'tap';
import { isLong, streamJson } from '../../lib/http/long-answer.ts';
import { serve } from './serve.ts';
import { exampleTemplate, exampleViews } from './views.ts';

t.test('a text is sent in parts, as the JSON that it would be in one', async (t) => {
  // Each surrogate pair lies across the border of two parts, whatever their even length is.
  for (const text of ['', 'a"\\\n\u0000', `x${'😀'.repeat(200_000)}`, '\ud83d'.repeat(3)]) {
    const whole = { name: 'n', none: null, list: [1], missing: undefined, rendered: text, present: null };
    const { rendered, present, ...fields } = whole;
    const sent = await readText(streamJson(fields, { rendered, present }));
    t.strictSame(JSON.parse(sent), JSON.parse(JSON.stringify(whole)));
  }
  t.equal(await readText(streamJson({}, {})), '{}');
  t.notOk(isLong({ rendered: 'a', present: null }));
});

t.test('a long template is read as a short one is', async (t) => {
  const views = exampleViews({ templates: [exampleTemplate] });
  const answers = await Promise.all(
    ['short', 'long '.repeat(1_000_000)].map(async (text) => {
      const templates = { ...views.templates, rendered: async () => text, present: async () => undefined };
      const { server } = serve(t, { ...views, templates });
      return server.inject('/v1/templates/haproxy.cfg');
    }),
  );
  const [short, long] = answers.map((answer) => answer.json());
  t.strictSame({ ...long, rendered: short.rendered }, short);
  t.equal(long.rendered.length, 5_000_000);
  t.equal(answers[1]?.headers['content-type'], answers[0]?.headers['content-type']);
});
