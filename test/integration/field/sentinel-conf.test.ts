import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compileTemplate } from '../../../lib/template/compile.ts';
import { inferFormat } from '../../../lib/template/format.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeWorld, textOf } from '../../template/world.ts';

const sandbox = await Sandbox.openFor(t, { name: 'sentinel-conf' });
const tools = join(import.meta.dirname, '../../../.tools/bin');
const others = ['redis8', 'valkey'].map((name) => join(tools, `${name}-sentinel`)).filter((path) => existsSync(path));

const passwords = ['#ai%EQie!^i', `two words "q" 'a' \\ $HOME`, 'pässwörd'];

function render(file: string, input: { vars: Record<string, unknown>; password: string }): string {
  const text = readFileSync(join(import.meta.dirname, '../../../templates', file), 'utf8');
  const template = compileTemplate({ template: { file, text }, format: inferFormat(file) });
  return textOf(template.render(makeWorld({}, { vars: input.vars, files: { '/password': `${input.password}\n` } })));
}

for (const program of ['redis-sentinel', ...others]) {
  t.test(`${program.split('/').at(-1)} reads a password with signs, and several addresses`, async (t) => {
    for (const [i, password] of passwords.entries()) {
      const [first, second] = await Promise.all([sandbox.address(), sandbox.address()]);
      const vars = {
        bind: i === 0 ? `${first.host} ${second.host}` : [first.host, second.host],
        port: first.port,
        dir: sandbox.folder,
        requirepass_file: '/password',
        directives: ['loglevel verbose', ['sentinel', 'deny-scripts-reconfig', 'yes']],
      };
      const name = `${program.split('/').at(-1)}-${i}`;
      const configFile = sandbox.write(`${name}.conf`, render('sentinel.conf.hbs', { vars, password }));
      const ask = async (host: string) => redisCli({ host, port: first.port }, ['PING'], { password });
      const ready = async () => (await ask(first.host)) === 'PONG';
      const server = sandbox.program({ name, argv: [program, configFile], ready });
      await server.start();
      t.equal(await ask(second.host), 'PONG', password);
      await t.rejects(redisCli(first, ['PING']), /NOAUTH/);
      // Sentinel has written the file again by now.
      await server.restart();
      t.equal(await ask(second.host), 'PONG');
      await server.kill();
    }
  });
}
