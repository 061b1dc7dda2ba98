import t from 'tap';
import { readInstances } from '../../lib/client/consul-shapes.ts';

t.test('an instance without a port: Consul 1.8 answers 0, and 1.10 and later leave it out', async (t) => {
  const service = { ID: 'proxy', Service: 'proxy', Address: '', Tags: null, Meta: null };
  const answer = (port: object) => [
    { Node: { Node: 'n1', Address: '10.0.0.1' }, Service: { ...service, ...port }, Checks: [] },
  ];
  const ports = [{ Port: 0 }, {}].flatMap((port) =>
    readInstances(answer(port), { what: 'proxy', order: 'by-name' }).map((one) => one.port),
  );
  t.strictSame(ports, [0, 0]);
});
