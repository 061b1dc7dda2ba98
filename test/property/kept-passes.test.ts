import assert from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import { compileTemplate } from '../../lib/template/compile.ts';
import { KeptPasses } from '../../lib/template/kept-passes.ts';
import type { RenderResult } from '../../lib/template/render.ts';
import { cases } from './kept-passes/cases.ts';
import { type RandomTemplate, templates } from './kept-passes/templates.ts';
import { edited, edits, firstState, type State, worldOf } from './kept-passes/worlds.ts';
import { parameters } from './parameters.ts';

/*
 * Passes of loops that are kept from render to render: whatever the template is and whatever changes, a render with them gives
 * what a new template gives. See lib/template/kept-passes.ts.
 */

/** So many renders take no kept passes. */
const firstRenders = 3;

/** Everything that a result says, but the time. An error is equal to one with the same message. */
function plain(result: RenderResult) {
  const comparable = { ...result, savedMs: 0 };
  return result.kind === 'failed'
    ? { ...comparable, error: `${result.error.code} ${result.error.message}` }
    : comparable;
}

/** Returns a function that renders a state with and without kept passes. It throws if they differ. */
function makeRender({ text, format, partials, limits }: RandomTemplate) {
  const named = [...partials].map(([name, text]) => [name, { file: name, text }] as const);
  const template = compileTemplate({ template: { file: 't.hbs', text }, format, limits, partials: new Map(named) });
  const kept = new KeptPasses();
  return (state: State) => {
    const [one, other] = [worldOf(state), worldOf(state)];
    const [result, fresh] = [template.render(one.world, kept), template.render(other.world)];
    assert.deepStrictEqual(plain(result), plain(fresh));
    assert.deepStrictEqual([...one.asked].sort(), [...other.asked].sort());
    return { result, asked: other.asked };
  };
}

t.test('each rule about kept passes has its effect', (t) => {
  for (const { rule, states, ...of } of cases) {
    const render = makeRender({ partials: new Map(), ...of, limits: {} });
    const story = [
      ...Array<undefined>(firstRenders)
        .fill(undefined)
        .flatMap(() => states.slice(0, 1)),
      ...states,
    ];
    t.doesNotThrow(() => story.forEach(render), rule);
  }
  t.end();
});

t.test('with kept passes, a template renders every world as a new one does', (t) => {
  const counts = { renders: 0, rendered: 0, recalled: 0 };
  const stories = fc.array(fc.array(edits, { maxLength: 2 }), { minLength: 3, maxLength: 10 });
  const check = fc.property(templates, stories, (of, story) => {
    const renderBoth = makeRender(of);
    const render = (state: State) => {
      const { result, asked } = renderBoth(state);
      counts.renders += 1;
      if (result.kind === 'rendered') counts.rendered += 1;
      if (result.savedMs > 0) counts.recalled += 1;
      return asked;
    };
    let state = firstState();
    let asked = render(state);
    for (let i = 1; i < firstRenders; i += 1) render(state);
    for (const step of story) {
      for (const edit of step) state = edited(state, edit, { asked, text: of.text });
      asked = render(state);
    }
  });
  fc.assert(check, parameters({ runs: 250 }));
  t.comment(JSON.stringify(counts));
  t.ok(counts.recalled > counts.renders / 10, 'renders take kept passes');
  t.end();
});
