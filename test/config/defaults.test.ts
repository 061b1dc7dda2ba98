import t, { type Test } from 'tap';
import { defaultApiAddress, defaultConsulAddress, defaultSentinelAddress } from '../../lib/config/defaults.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { Config } from '../../lib/config/model.ts';
import { formatAddress } from '../../lib/model/address.ts';
import { newFileMode } from '../../lib/model/template-spec.ts';
import { codesIn, readPage, tableRows } from '../docs/pages.ts';

/* Defaults that no schema has, because something else comes first. test/docs/reference.test.ts compares those of schemas. */

async function loadText(t: Test, text: string): Promise<Config> {
  return loadConfig({ paths: [t.testdir({ 'c.yml': text })], environment: {} });
}

/** The last code in the cell of a key's default. */
async function documented(key: string): Promise<string | undefined> {
  const { text } = await readPage('docs/reference/config.md');
  const row = tableRows(text).find(([first = '']) => codesIn(first).includes(key));
  return codesIn(row?.[2] ?? '').at(-1);
}

t.test('empty sections have the documented defaults', async (t) => {
  const config = await loadText(t, 'sentinel: {}\nconsul: {}\napi: {}\n');
  t.equal(formatAddress(config.consul), await documented('consul.address'));
  t.strictSame(config.sentinel?.addresses.map(formatAddress), [await documented('sentinel.addresses')]);
  t.equal(config.api && formatAddress(config.api.listen), await documented('api.listen'));
  t.strictSame(
    [config.consul, config.sentinel?.addresses[0], config.api?.listen].map((one) => one && formatAddress(one)),
    [defaultConsulAddress, defaultSentinelAddress, defaultApiAddress].map(formatAddress),
  );
});

t.test('a failover of crashed masters is ordered by default', async (t) => {
  const { sentinel, cluster } = await loadText(t, 'sentinel: {}\ncluster: [{ name: c, seeds: ["127.0.0.1:7000"] }]\n');
  t.equal(sentinel?.onCrash, 'failover');
  t.match(cluster, [{ name: 'c', onCrash: 'failover' }]);
});

t.test('a file without sections means the same as no file, for the sections that are always there', async (t) => {
  const [empty, none] = [await loadText(t, '{}\n'), await loadConfig({ paths: [], environment: {} })];
  for (const key of ['consul', 'cluster', 'templates', 'api', 'log', 'journal'] as const)
    t.strictSame(empty[key], none[key], key);
  t.equal(empty.sentinel, undefined, 'only a node without any config runs a bridge unasked');
});

t.test('with a service in Consul no Sentinel is assumed on this machine', async (t) => {
  t.strictSame((await loadText(t, 'sentinel: { service: sentinels }\n')).sentinel?.addresses, []);
});

t.test('`tls: true` and an empty `tls` verify, as documented', async (t) => {
  const verify = (await documented('tls.verify')) === 'true';
  for (const tls of ['true', '{}']) {
    const { sentinel } = await loadText(t, `sentinel: { tls: ${tls} }\n`);
    t.equal(sentinel?.access.tls?.verify, verify, tls);
  }
  const { consul } = await loadText(t, 'consul: { address: "https://127.0.0.1:8501" }\n');
  t.equal(consul.tls?.verify, verify);
});

t.test('each form of a command has the same default time limit', async (t) => {
  const template = (more: string) => `templates: [{ source: haproxy.cfg.hbs, destination: /tmp/a, ${more} }]\n`;
  const limits = [];
  for (const more of [
    'check: [check]',
    'check: { command: [check] }',
    'reload: [again]',
    'reload: { command: [again] }',
    'reload: { supervise: [program] }',
    'reload: { supervise: { command: [program] } }',
    'reload: { haproxy: { socket: /s, fallback: [again] } }',
  ]) {
    const [spec] = (await loadText(t, template(more))).templates;
    const { check, reload } = spec ?? {};
    const command =
      reload?.kind === 'haproxy' ? reload.fallback : reload && 'command' in reload ? reload.command : check;
    limits.push(command?.timeoutMs);
  }
  t.strictSame(new Set(limits), new Set([30_000]));
});

t.test('the mode of a new file is the documented one', async (t) => {
  const { text } = await readPage('docs/reference/config.md');
  const [, , cell] = tableRows(text).find(([first = '']) => codesIn(first).includes('templates[].mode')) ?? [];
  t.match(cell, new RegExp(`0${newFileMode.toString(8)} for a new file`));
});
