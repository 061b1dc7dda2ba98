import path from 'node:path';
import t from 'tap';
import { importFiles } from '../../lib/import/import.ts';
import { importText, pools, smitty } from './import-text.ts';

/* Paths, addresses and names that mean something else, or nothing, after an import. */

t.test('a relative path, which would begin at another folder here, is left to do', async (t) => {
  const files = { 'smitty.yml': smitty.replace('/none/nutcracker.yml', 'nutcracker.yml'), 'nutcracker.yml': pools };
  const agent = await importText(t, 'smitty', files, ['smitty.yml']);
  t.match(agent.todo, [/^todo 2 twemproxy_config_file: nutcracker\.yml is relative/]);
  const go = 'pid_file = "run/pid"\ntemplate {\n contents = "a"\n destination = "out.txt"\n}\n';
  t.match((await importText(t, 'consul-template', { 'c.hcl': go })).todo, [
    /^todo 1 pid_file: run\/pid is relative/,
    /^todo 4 destination: out\.txt is relative/,
  ]);
  const happy = { Sentinels: [{ Host: '10.0.0.5', Port: 26379 }], HAProxy: { OutputPath: 'haproxy.cfg' } };
  t.match(
    (await importText(t, 'redishappy', { 'c.json': JSON.stringify(happy) })).todo.join('\n'),
    'haproxy.cfg is relative',
  );
});

t.test('a file that exists and cannot be read is named with the reason', async (t) => {
  const latin1 = Buffer.from('# first\n# f\xfcr alle\n', 'latin1');
  const folder = t.testdir({
    'c.hcl': 'template {\n source = "t.ctmpl"\n destination = "/etc/a"\n}\n',
    't.ctmpl': latin1,
  });
  const { remarks } = await importFiles('consul-template', [path.join(folder, 'c.hcl')]);
  t.match(remarks, [
    { kind: 'todo', line: 2, why: /t\.ctmpl cannot be read: it is not UTF-8 text in line 2: .* iconv/ },
  ]);
  await t.rejects(importFiles('consul-templaterb', [path.join(folder, 't.ctmpl')]), {
    code: 'import-invalid',
    message: /t\.ctmpl: cannot be read: it is not UTF-8 text in line 2/,
  });
  const missing = await importText(t, 'consul-template', {
    'c.hcl': 'template {\n source = "/none/x"\n destination = "/a"\n}\n',
  });
  t.match(missing.todo, [/^todo 2 source: \/none\/x cannot be read: there is no such file/]);
});

t.test('each remark names the file and the line that it is about', async (t) => {
  const folder = t.testdir({ 'smitty.yml': smitty, 'nutcracker.yml': `# pools\n${pools}` });
  const { remarks } = await importFiles('smitty', [path.join(folder, 'smitty.yml')]);
  t.strictSame(
    remarks.map(({ file, line, what }) => [path.relative(folder, file), line, what]),
    [
      ['smitty.yml', 2, '/none/nutcracker.yml'],
      ['smitty.yml', 3, '10.0.0.5:26379'],
      ['nutcracker.yml', 2, 'timeout'],
    ],
  );
  const agent = { start: 'node redis_twemproxy_agent\\\n -h 10.0.0.5 -f /none\n', 'x.yml': pools };
  t.match((await importText(t, 'redis-twemproxy-agent', agent)).lines.join('\n'), '10.0.0.5:26379: one Sentinel');
});

t.test('an IPv6 address of a Sentinel has brackets', async (t) => {
  const agent = { 'smitty.yml': smitty.replace('10.0.0.5', '"fd00::5"'), 'nutcracker.yml': pools };
  t.strictSame((await importText(t, 'smitty', agent)).config.sentinel.addresses, ['[fd00::5]:26379']);
  const start = { start: 'redis_twemproxy_agent -h fd00::5 -p 26379 -f /x.yml -c "restart x"\n', 'x.yml': pools };
  t.strictSame((await importText(t, 'redis-twemproxy-agent', start)).config.sentinel.addresses, ['[fd00::5]:26379']);
  const happy = JSON.stringify({ Sentinels: [{ Host: 'fd00::5', Port: 26379 }] });
  t.strictSame((await importText(t, 'redishappy', { 'c.json': happy })).config.sentinel.addresses, ['[fd00::5]:26379']);
});

t.test('a service of redishappy whose cluster is not in Clusters has no name to move to', async (t) => {
  const services = ['shard1', 'other'].map((Cluster) => ({ Cluster, Node: 'redis-1' }));
  const happy = {
    Clusters: [{ Name: 'shard1' }],
    Sentinels: [{ Host: '10.0.0.5', Port: 26379 }],
    Consul: { Address: 'https://10.0.0.5:8501', Services: services },
  };
  const { config, lines } = await importText(t, 'redishappy', { 'c.json': JSON.stringify(happy) });
  t.equal(config.consul.address, 'https://10.0.0.5:8501');
  t.match(lines.join('\n'), /^difference 1 shard1: the service is redis-master/m);
  t.match(lines.join('\n'), /^difference 1 other: .* not in Clusters/m);
});

t.test('a config of consul-template without a template is left to do', async (t) => {
  const { todo } = await importText(t, 'consul-template', { 'c.hcl': 'log_level = "warn"\n' });
  t.match(todo, [/^todo 1 template: no file has a template/]);
});
