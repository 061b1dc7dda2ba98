import t from 'tap';
import { findConfig } from '../../cmd/config-paths.ts';

t.test('what --config names counts alone', async (t) => {
  const folder = t.testdir({ 'a.yml': '' });
  t.strictSame(await findConfig(['x.yml'], folder), { paths: ['x.yml'], note: undefined });
});

t.test("without --config, the node's own folder is read, and named", async (t) => {
  for (const name of ['a.yml', 'b.yaml', 'c.json']) {
    const folder = t.testdir({ [name]: '' });
    t.strictSame(await findConfig([], folder), { paths: [folder], note: `no --config: reading ${folder}` });
  }
});

t.test('without a file there, the default is named with its addresses', async (t) => {
  const folder = t.testdir({ token: 'x', '.hidden.yml': '' });
  for (const [place, why] of [
    [folder, `${folder} has no *.yml`],
    [`${folder}/none`, `there is no ${folder}/none`],
  ] as const) {
    const { paths, note = '' } = await findConfig([], place);
    t.strictSame(paths, []);
    t.ok(note.includes(why), note);
    t.match(note, /127\.0\.0\.1:26379.*CONSUL_HTTP_ADDR/);
  }
});
