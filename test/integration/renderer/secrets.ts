import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** Secrets of templates and of the config, and everything that the daemon writes and serves. */
export function testSecrets(
  t: Test,
  { sandbox, consul }: { readonly sandbox: Sandbox; readonly consul: ConsulAgent },
): void {
  t.test('no secret of a template or of the config is in the log, journal, API or metrics', async (t) => {
    const [ofFile, ofVariable, ofConfig, token] = ['S3cret-file', 'S3cret-variable', 'S3cret-config', 'S3cret-token'];
    const journal = sandbox.path('secrets.journal');
    const passwordFile = sandbox.write('secret.password', `${ofFile}\n`);
    const configFile = sandbox.write('secret.of-config', `${ofConfig}\n`);
    const template = (name: string, text: string, more: object = {}) => ({
      source: sandbox.write(`${name}.hbs`, text),
      destination: sandbox.path(name),
      header: false,
      ...more,
    });
    const password = `{{trim (file "${passwordFile}")}}`;
    const printing = (exit: number) => ['/bin/sh', '-c', `cat "$0" ${configFile}; exit ${exit}`, '{{file}}'];
    await consul.putKey('secret/weight', '7');
    const failing = [
      template('refused.conf', `requirepass {{file "${passwordFile}"}}\n`),
      template('parsed.conf', '{{#with (parseJSON (env "SECRET_VARIABLE"))}}{{a}}{{/with}}\n'),
      template('broken.json', `{"a": "${password}" "b": "{{env "SECRET_VARIABLE"}}"}\n`),
      template('checked.conf', `requirepass ${password}\n`, { check: printing(1) }),
      template('verified.conf', `requirepass ${password}\n`, { verify: { command: printing(2), deadline: '200ms' } }),
      template('reloaded.conf', `requirepass ${password}\n`, { reload: { command: printing(3) } }),
      template('named.conf', '{{key (env "SECRET_VARIABLE")}}\n'),
    ];
    const keeping = ['/bin/sh', '-c', `cat {{file}} ${configFile}; exec sleep 1000`];
    const good = [
      template('open.conf', `pass ${password} {{env "SECRET_VARIABLE"}} {{key "secret/weight"}}\n`),
      template('private.conf', 'plain {{key "secret/weight"}}\n', { mode: '0640' }),
      template('kept.conf', `pass ${password}\n`, { reload: { supervise: keeping } }),
      template('owned.conf', 'first\n', { seed: true }),
      template('own.conf', `auth ${ofConfig}\n`),
    ];
    writeFileSync(sandbox.path('owned.conf'), `sentinel auth-pass shard1 ${ofConfig}\n`);
    process.env.SECRET_VARIABLE = ofVariable;
    t.teardown(() => delete process.env.SECRET_VARIABLE);
    const daemon = await sandbox.localDaemon({
      name: 'discreet',
      ready: '/live',
      config: {
        consul: { address: consul.url },
        log: { level: 'debug' },
        journal: { file: journal },
        sentinel: { addresses: ['127.0.0.1:1'], redis: { passwordFile: configFile } },
        templates: [...failing, ...good],
        api: { tokenFile: sandbox.write('secret.token', token) },
      },
    });
    const read = async (path: string, headers: Record<string, string> = {}) => {
      const url = `http://${daemon.api.host}:${daemon.api.port}${path}`;
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
      return { status: response.status, text: await response.text() };
    };
    type Listed = readonly { readonly lastOutcome: { readonly kind: string } | null }[];
    const kinds = async () =>
      (JSON.parse((await read('/v1/templates')).text).templates as Listed).map(({ lastOutcome }) => lastOutcome?.kind);
    await waitFor('an outcome of every template', kinds, {
      until: (all) =>
        all.slice(0, failing.length).every((kind) => kind === 'failed') &&
        all.slice(failing.length).every((kind) => kind === 'applied' || kind === 'unchanged'),
    });
    await waitFor('the output of the program', () => daemon.logLines().some(({ line }) => line === 'pass [secret]'));
    daemon.logState();
    await waitFor('the state in the log', () => daemon.logLines().some(({ msg }) => msg === 'state'));
    const texts = new Map([
      ['events', await readEvents(`http://${daemon.api.host}:${daemon.api.port}/v1/events?lastEventId=0`)],
      ['log', daemon.log()],
      ['journal', readFileSync(journal, 'utf8')],
    ]);
    const names = [...failing, ...good].map(({ destination }) => `/v1/templates/${basename(destination)}`);
    for (const path of ['/v1/templates', '/v1/history?limit=1000', '/ready', '/metrics', ...names]) {
      texts.set(path, (await read(path)).text);
    }
    for (const [where, text] of texts) t.notMatch(text, /S3cr/, where);
    for (const where of ['events', 'log', 'journal', '/v1/history?limit=1000']) {
      t.match(texts.get(where), 'requirepass [secret]', `${where} has the output of the check`);
    }
    const open = '/v1/templates/open.conf';
    const bearer = { authorization: `Bearer ${token}` };
    t.match(JSON.parse(texts.get(open) ?? ''), { rendered: 'pass [secret] [secret] 7\n', present: null });
    t.match(JSON.parse((await read(open, bearer)).text), { rendered: `pass ${ofFile} ${ofVariable} 7\n` });
    t.match(JSON.parse(texts.get('/v1/templates/own.conf') ?? ''), { rendered: 'auth [secret]\n' });
    const seeded = JSON.parse((await read('/v1/templates/owned.conf', bearer)).text);
    t.match(seeded, { present: `sentinel auth-pass shard1 ${ofConfig}\n` });
    t.match(await read('/v1/templates/private.conf'), { status: 401, text: /request-denied/ });
    const owned = JSON.parse((await read('/v1/templates/private.conf', bearer)).text);
    t.match(owned, { access: 'token', rendered: 'plain 7\n' });
    t.equal(readFileSync(sandbox.path('open.conf'), 'utf8'), `pass ${ofFile} ${ofVariable} 7\n`);
    await daemon.stop();
    t.notMatch(daemon.log(), /S3cr/);
  });
}

/** What the stream of events sends, until the output of a check is in it. */
async function readEvents(url: string): Promise<string> {
  const ending = new AbortController();
  const response = await fetch(url, { signal: AbortSignal.any([ending.signal, AbortSignal.timeout(10_000)]) });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('requirepass [secret]') && text.endsWith('\n\n')) break;
  }
  ending.abort();
  return text;
}
