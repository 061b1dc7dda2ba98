// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that a shell would replace
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

async function load(t: Test, exec: string, more = '') {
  const template = `templates:\n  - contents: x\n    destination: out\n    exec: ${exec}\n${more}`;
  const path = join(t.testdir({ 'c.yml': template }), 'c.yml');
  return (await loadConfig({ paths: [path], environment: {} })).templates[0];
}

async function problemsOf(t: Test, exec: string): Promise<readonly string[]> {
  const error = await load(t, exec).then(() => undefined, SwitchmasterError.from);
  const { problems = [] } = (error?.details ?? {}) as { problems?: readonly Problem[] };
  return problems.map(
    ({ place, path, message, hint }) => `${place?.line}:${place?.column} ${path}: ${message} (${hint})`,
  );
}

t.test('every program of a template has its environment', async (t) => {
  const env = { inherit: 'all', allowlist: ['PATH', 'LC_*'], denylist: ['LC_ALL'], custom: { A: '1', B: 'x=y' } };
  const written = '{ env: { allowlist: [PATH, "LC_*"], denylist: [LC_ALL], custom: { A: 1, B: "x=y" } } }';
  const list = '{ env: { allowlist: [PATH, "LC_*"], denylist: [LC_ALL], custom: ["A=1", "B=x=y"] } }';
  const verify = '    check: ["c"]\n    verify: { tcp: "127.0.0.1:1", command: ["v"] }\n';
  for (const exec of [written, list]) {
    const spec = await load(t, exec, `${verify}    reload: ["r"]\n`);
    t.match(spec, { check: { argv: ['c'], env }, reload: { kind: 'command', command: { argv: ['r'], env } } }, exec);
    t.match(spec?.verify?.probes, [{ kind: 'tcp' }, { kind: 'command', command: { argv: ['v'], env } }]);
  }
  const haproxy = await load(t, written, '    reload: { haproxy: { socket: /x, fallback: ["f"] } }\n');
  t.match(haproxy?.reload, { kind: 'haproxy', fallback: { argv: ['f'], env } });
  const supervised = await load(t, written, '    reload: { supervise: ["s"] }\n');
  t.match(supervised?.reload, { kind: 'supervise', command: { argv: ['s'], env } });
  const pristine = await load(t, '{ env: { pristine: true } }', '    check: ["c"]\n');
  t.match(pristine?.check?.env, { inherit: 'none', allowlist: [], denylist: [], custom: {} });
  t.equal((await load(t, '{}', '    check: ["c"]\n'))?.check?.env, undefined);
});

const at = 'templates[0].exec.env';
/** Settings, and the problem that they have. */
const cases: readonly (readonly [string, string])[] = [
  ['{ env: { pristin: true } }', `4:20 ${at}.pristin: unknown key (did you mean pristine?)`],
  ['{ env: { custom: ["PATH"] } }', `4:29 ${at}.custom[0]: must be NAME=value (undefined)`],
  ['{ env: { custom: { A: [1] } } }', `4:33 ${at}.custom.A: must be a string or a number or true or false (undefined)`],
  [
    '{ env: { custom: { A: "$HOME" } } }',
    `4:33 ${at}.custom.A: $HOME is not replaced in the config (write the whole value)`,
  ],
  [
    '{ env: { custom: { PATH: "/opt/bin:$PATH" } } }',
    `4:36 ${at}.custom.PATH: $PATH is not replaced in the config (write the whole value)`,
  ],
  [
    '{ env: { custom: ["PATH=$PATH:/opt/bin"] } }',
    `4:29 ${at}.custom[0]: $PATH is not replaced in the config (write the whole value)`,
  ],
  [
    '{ env: { custom: { A: "a${B}" } } }',
    `4:33 ${at}.custom.A: \${B} is not replaced in the config (write the whole value)`,
  ],
  ['{ env: { custom: { "": x } } }', `4:34 ${at}.custom[""]: is no variable of an environment (write NAME: value)`],
  [
    '{ env: { custom: { "A=B": x } } }',
    `4:37 ${at}.custom["A=B"]: is no variable of an environment (write NAME: value)`,
  ],
  [
    '{ env: { allowlist: ["[A-Z]*"] } }',
    `4:32 ${at}.allowlist[0]: must be a name of a variable, in which * and ? are the only signs with a meaning (undefined)`,
  ],
  [
    '{ env: { allowlist: [PATH, CONSUL_HTTP_TOKEN] } }',
    `4:38 ${at}.allowlist[1]: CONSUL_HTTP_TOKEN is a secret of the daemon, which no program gets (give the program a file to read)`,
  ],
  [
    '{ env: { pristine: true, denylist: [A] } }',
    `4:46 ${at}.denylist: has no effect with pristine: true (leave one of them out; custom has all variables then)`,
  ],
];

t.test('what is wrong with an environment is reported at its place', async (t) => {
  for (const [exec, expected] of cases) t.strictSame(await problemsOf(t, exec), [expected], exec);
  t.strictSame(await problemsOf(t, '{ env: { custom: { A: "pa$word", B: "5$" } } }'), [], 'a sign that means nothing');
});

t.test('a splay needs a reload, and is not for templates that queue', async (t) => {
  const reload = '    reload: ["r"]\n';
  t.equal((await load(t, '{ splay: 30s }', reload))?.splayMs, 30_000);
  t.equal((await load(t, '{ splay: 0 }', reload))?.splayMs, undefined);
  t.equal((await load(t, '{ env: { pristine: true } }', reload))?.splayMs, undefined);
  await t.rejects(load(t, '{ splay: 30s }', `${reload}    rolling: { limit: 1 }\n`), {
    message: /4:20: templates\[0\]\.exec\.splay: cannot be combined with rolling \(leave splay out/,
  });
  await t.rejects(load(t, '{ splay: 30s }'), { message: /exec\.splay: has no effect without reload/ });
  await t.rejects(load(t, '{ splay: soon }', reload), { message: /exec\.splay: "soon" is not a duration/ });
});
