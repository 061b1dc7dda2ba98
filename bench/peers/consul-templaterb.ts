import { type Consumer, namesEveryMaster, type PeersWorld, placeConsumer } from './consumer.ts';

/** The shortest time between two questions, in seconds. It renders once a second at most, which is its default. */
const fastest = ['--retry-delay', '0.1'];

const key = `<% kv('redis/master/', recurse: true).each do |entry| -%>
<%= entry['Key'] %> <%= Base64.decode64(entry['Value']) %>
<% end -%>
`;
const service = `<% service('redis-master').each do |instance| -%>
<%= instance.service_address %>:<%= instance['Service']['Port'] %>
<% end -%>
`;
const variants = [
  { label: "switchmaster's key, default settings", text: key, settings: [] },
  { label: "switchmaster's key, fastest settings", text: key, settings: fastest },
  { label: "switchmaster's service, default settings", text: service, settings: [] },
  { label: "switchmaster's service, fastest settings", text: service, settings: fastest },
];

/** https://github.com/criteo/consul-templaterb */
export async function startConsulTemplaterb(world: PeersWorld, program: string): Promise<readonly Consumer[]> {
  const { sandbox, consul, shards } = world;
  const started = variants.map(async ({ label, text, settings }, n) => {
    const name = `consul-templaterb-${n}`;
    const consumer = placeConsumer(sandbox, { label: `consul-templaterb on ${label}`, name });
    const { destination, marker } = consumer;
    const template = [sandbox.write(`${name}.erb`, text), destination, `touch ${marker}`].join(':');
    const ready = async () => namesEveryMaster(consumer, shards);
    const args = ['--consul-addr', consul.url, ...settings, '--template', template];
    await sandbox.program({ name, argv: [program, ...args], ready }).start();
    return consumer;
  });
  return Promise.all(started);
}
