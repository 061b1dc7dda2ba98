import t from 'tap';
import { NodeHosts } from '../../../lib/registrar/observe/node-hosts.ts';

const refused = new Error('A system error occurred: uv_interface_addresses returned Unknown system error 97');

t.test('the last addresses count while they cannot be listed, and the problem is reported once', (t) => {
  const answers: (readonly string[] | Error)[] = [['10.0.0.5'], refused, refused, ['10.0.0.6']];
  const reports: (string | undefined)[] = [];
  const hosts = new NodeHosts({
    list: () => {
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onProblem: (why) => reports.push(why),
  });
  const read = () => ({ hosts: hosts.read(), failing: hosts.failing });
  t.strictSame(read(), { hosts: ['10.0.0.5'], failing: false });
  t.strictSame(read(), { hosts: ['10.0.0.5'], failing: true });
  t.strictSame(read(), { hosts: ['10.0.0.5'], failing: true });
  t.strictSame(read(), { hosts: ['10.0.0.6'], failing: false });
  t.strictSame(reports, [refused.message, undefined]);
  t.end();
});

t.test('a node that was never able to list its addresses has none', (t) => {
  const hosts = new NodeHosts({
    list: () => {
      throw refused;
    },
  });
  t.strictSame(hosts.read(), []);
  t.ok(hosts.failing);
  t.end();
});
