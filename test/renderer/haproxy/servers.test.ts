import t from 'tap';
import { planHaproxy } from '../../../lib/renderer/haproxy/plan.ts';
import type { CommandLine } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { alignServers, confirmServers } from '../../../lib/renderer/haproxy/servers.ts';

const columns = '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port';

/** A HAProxy with one server, as `show servers state` prints it. */
function processAt(host: string): CommandLine & { readonly sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    send: async (commands) => {
      sent.push(...commands);
      return `1\n${columns}\n3 b 1 one ${host} 2 0 1 6379\n`;
    },
  };
}

t.test('a server is at its address, however the file and HAProxy spell it', async (t) => {
  const { signal } = new AbortController();
  const cases = [
    ['::ffff:10.0.0.5', '[::ffff:10.0.0.5]'],
    ['::ffff:10.0.0.5', 'ipv6@[::FFFF:a00:5]'],
    ['10.0.0.5', '[::ffff:10.0.0.5]'],
    ['fd00::5', '[FD00:0:0:0::0005]'],
    ['::10.0.0.5', '[::a00:5]'],
  ] as const;
  for (const [running, written] of cases) {
    const { expected } = planHaproxy(undefined, `backend b\n  server one ${written}:6379 check\n`);
    t.equal(expected.length, 1, written);
    const process = processAt(running);
    await confirmServers(process, expected, signal);
    await alignServers(process, expected, signal);
    t.notMatch(process.sent.join(), 'set server', `${written} is not moved`);
  }
  const { expected } = planHaproxy(undefined, 'backend b\n  server one 10.0.0.6:6379 check\n');
  await t.rejects(confirmServers(processAt('10.0.0.5'), expected, signal), { code: 'reload-failed' });
});
