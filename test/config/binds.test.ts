import { join } from 'node:path';
import t from 'tap';
import { findBindConflicts } from '../../lib/config/binds.ts';
import type { Config } from '../../lib/config/model.ts';
import { packageFolder } from '../../lib/package-files.ts';

type Vars = Readonly<Record<string, unknown>>;

function conflictsOf(input: { api?: string; endpoint?: string; templates?: readonly (readonly [string, Vars])[] }) {
  const listen = (text: string | undefined) => {
    const [host = '', port] = text?.split(':') ?? [];
    return text === undefined ? undefined : { listen: { host, port: Number(port) } };
  };
  const templates = (input.templates ?? []).map(([name, vars]) => {
    return { source: name.includes('/') ? name : join(packageFolder, 'templates', name), vars };
  });
  const config = { api: listen(input.api), sentinelEndpoint: listen(input.endpoint), templates };
  return findBindConflicts(config as unknown as Config).map(({ path }) => path);
}

const haproxy = (vars: Vars) => ['haproxy.cfg.hbs', vars] as const;
const twemproxy = (vars: Vars = {}) => ['twemproxy.yml.hbs', vars] as const;

const table: readonly (readonly [string, Parameters<typeof conflictsOf>[0], readonly string[]])[] = [
  ['the API and the endpoint', { api: '127.0.0.1:1', endpoint: '127.0.0.1:1' }, ['sentinelEndpoint.listen']],
  ['all addresses and one', { api: '0.0.0.0:1', endpoint: '127.0.0.1:1' }, ['sentinelEndpoint.listen']],
  ['other addresses', { api: '127.0.0.2:1', endpoint: '127.0.0.1:1' }, []],
  ['free ports', { api: '127.0.0.1:0', endpoint: '127.0.0.1:0' }, []],
  ['the default of twemproxy', { api: '127.0.0.1:22121', templates: [twemproxy()] }, ['templates[0].vars.listen']],
  [
    'HAProxy and twemproxy',
    { templates: [haproxy({ ports: { a: 16379, b: 22121 } }), twemproxy({ listen: '0.0.0.0:22121' })] },
    ['templates[1].vars.listen'],
  ],
  [
    'two HAProxies',
    { templates: [haproxy({ bind: '*', ports: { a: 16379 } }), haproxy({ ports: { b: 16379 } })] },
    ['templates[1].vars.ports.b'],
  ],
  [
    'IPv6',
    { templates: [haproxy({ bind: '::1', ports: { a: 16379 } }), twemproxy({ listen: '[0:0::1]:16379' })] },
    ['templates[1].vars.listen'],
  ],
  [
    'a twemproxy behind HAProxy',
    { templates: [haproxy({ twemproxy_bind: '*:22121' }), twemproxy()] },
    ['templates[1].vars.listen'],
  ],
  [
    'pools',
    {
      api: '127.0.0.1:2',
      templates: [twemproxy({ pools: { a: { listen: '127.0.0.1:1' }, b: { listen: '127.0.0.1:2' } } })],
    },
    ['templates[0].vars.pools.b.listen'],
  ],
  ['sockets', { templates: [twemproxy({ listen: '/run/a.sock 0666' }), twemproxy({ listen: '/run/a.sock' })] }, []],
  ['one template, which judges itself', { templates: [haproxy({ ports: { a: 1, b: 1 } })] }, []],
  [
    'a template of your own',
    { api: '127.0.0.1:1', templates: [['/etc/t/twemproxy.yml.hbs', { listen: '127.0.0.1:1' }]] },
    [],
  ],
  ['vars of another type', { templates: [haproxy({ ports: [1] }), twemproxy({ pools: 'x', listen: 7 })] }, []],
];

for (const [name, input, expected] of table) {
  t.test(`two binds on one port: ${name}`, async (t) => {
    t.same(conflictsOf(input), expected);
  });
}
