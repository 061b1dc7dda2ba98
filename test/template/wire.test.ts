import t from 'tap';
import { makePacker, unpackResult } from '../../lib/template/bounded/wire.ts';
import type { RenderResult } from '../../lib/template/render.ts';
import { makeInstance, renderText } from './world.ts';

/* A render process sends the lists that have an entry for each service only if they have changed. */

const text = '{{#each vars.names}}{{#each (service this)}}{{port}}{{/each}}{{/each}}';

function render(names: readonly string[], { port = 1, env = {} } = {}): RenderResult {
  const known = Object.fromEntries(
    ['a', 'b', 'c'].map((name) => [`service(${name})`, name === 'c' ? [] : [makeInstance({ name, id: name, port })]]),
  );
  return renderText({ text: `${text}{{envOrDefault "S" ""}}`, known, vars: { names }, env });
}

t.test('only lists that differ from those before are sent, and both sides have the same', (t) => {
  const pack = makePacker();
  let before = unpackResult({ kind: 'rendered', ms: 0, ...pack(render(['a'])) }, {} as never);
  for (const { result, sent } of [
    { result: render(['a'], { port: 2 }), sent: [] },
    { result: render(['a', 'b']), sent: ['dependencies', 'members', 'lists'] },
    { result: render(['b', 'a']), sent: ['dependencies'] },
    { result: render(['b', 'c']), sent: ['dependencies', 'members', 'lists'] },
    { result: render(['b', 'c'], { env: { S: 'secret' } }), sent: ['secrets'] },
    { result: render(['b', 'c'], { env: { S: 'another' } }), sent: ['secrets'] },
    { result: render(['b', 'c']), sent: ['secrets'] },
  ]) {
    const packed = pack(result);
    t.strictSame(Object.keys(packed.lists), sent);
    before = unpackResult({ kind: 'rendered', ms: 0, ...packed }, before);
    t.strictSame(before, result);
  }
  t.end();
});
