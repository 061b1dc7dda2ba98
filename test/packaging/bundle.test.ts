import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { listPageFiles } from '../../lib/http/page.ts';
import { putRecord } from '../integration/support/rendering.ts';
import { buildProgram } from '../runner/program.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

/* The bundle runs from a folder in which there is nothing else. */
const folder = t.testdir({});
const program = path.join(folder, 'switchmaster.mjs');
await copyFile(await buildProgram(), program);
const root = path.resolve(import.meta.dirname, '../..');

t.test('it has everything in one file: the version, the templates, the page, the processes of templates', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'bundle' });
  const consul = await sandbox.consul();
  await putRecord(consul);
  const large = sandbox.write('large.txt.hbs', '{{#each vars.rows}}{{../vars.text}}\n{{/each}}');
  const own = path.join(folder, 'templates/app.env.hbs');
  await mkdir(path.dirname(own));
  await writeFile(own, 'OWN=1\n');
  const daemon = await sandbox.switchmaster({
    program,
    config: {
      consul: { address: consul.url },
      log: { format: 'pretty' },
      templates: [
        { source: 'app.env.hbs', destination: sandbox.path('app.env') },
        // It lies where the package has a bundled one.
        { source: own, destination: sandbox.path('own.env') },
        // Too large for the event loop.
        {
          source: large,
          destination: sandbox.path('large.txt'),
          vars: { rows: Array(1_100).fill(0), text: 'x'.repeat(1_000) },
        },
      ],
    },
  });
  t.match(
    await waitFor('the bundled template', () => readFile(sandbox.path('app.env'), 'utf8')),
    /^# Written by switchmaster from the bundled app\.env\.hbs\./,
  );
  t.match(await readFile(sandbox.path('own.env'), 'utf8'), /^OWN=1$/m);
  t.equal((await readFile(sandbox.path('large.txt'), 'utf8')).length, 1_100 * 1_001);
  t.match((await daemon.get('/')).body, /<title>/);
  for (const file of listPageFiles().filter((name) => /\.(css|js|svg)$/.test(name))) {
    const { status, body } = await daemon.get(`/page/${path.basename(file)}`);
    t.equal(status, 200, file);
    t.equal(body, await readFile(file, 'utf8'), file);
  }
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--version'], { cwd: folder, env: {} });
  t.equal(stdout, `${JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')).version}\n`);
});

t.test('Node.js keeps its text with one byte for each character', async (t) => {
  t.equal(/[\u0100-\uffff]/.exec(await readFile(program, 'utf8')), null);
});

t.test('it leaves out what no running switchmaster calls', async (t) => {
  const text = await readFile(program, 'utf8');
  t.notMatch(text, /^--- ajv /m, 'a validator of JSON schemas');
  t.notMatch(text, /chaîne de caractères|Option invalide/, 'messages in French');
  t.notMatch(text, /function fromJSONSchema\(/, 'parts of zod that nothing uses');
  t.notMatch(text, /\b(SourceMapGenerator|TraceAPI)\b/, 'what handlebars and prom-client can do without');
  t.ok(text.length < 4_200_000, `${text.length} characters`);
});

t.test('it loads no parts of Node.js that it never uses', async (t) => {
  const script = `process.on('exit', () => console.log(JSON.stringify(process.moduleLoadList)));
    await import(${JSON.stringify(program)});`;
  const words = ['--input-type=module', '--eval', script, program, '--version'];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env: {} });
  const loaded: readonly string[] = JSON.parse(stdout.split('\n').at(-2) ?? '');
  t.ok(loaded.includes('NativeModule https'));
  t.notOk(loaded.includes('NativeModule internal/deps/undici/undici'), 'undici');
});

t.test('it names the license of each library in it', async (t) => {
  const text = await readFile(program, 'utf8');
  const { dependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) t.match(text, new RegExp(`^--- ${name} [0-9.]+ \\(.+\\)\n`, 'm'), name);
});
