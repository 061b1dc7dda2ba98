import http from 'node:http';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The operations of one change of master, as the bridge writes them, below other names. `index` is the record's ModifyIndex. */
export function transactionOf(
  name: string,
  { master, old, index }: { readonly master: Address; readonly old: Address; readonly index: number },
): object[] {
  const node = `bare-${name}`;
  const record = {
    version: 1,
    name,
    generation: 1,
    epoch: 1,
    phase: 'promoted',
    master,
    replicas: [old],
    previous: old,
  };
  const key = (path: string, value: string) => ({ KV: { Verb: 'set', Key: `bare/${path}`, Value: btoa(value) } });
  const service = (id: string, at: Address) => [
    {
      Service: {
        Verb: 'set',
        Node: node,
        Service: { ID: id, Service: id, Address: at.host, Port: at.port, Tags: [name] },
      },
    },
    { Check: { Verb: 'set', Check: { Node: node, CheckID: `${id}:c`, ServiceID: id, Name: 'c', Status: 'passing' } } },
  ];
  return [
    { KV: { Verb: 'cas', Key: `bare/record/${name}`, Value: btoa(JSON.stringify(record)), Index: index } },
    key(`master/${name}`, `${master.host}:${master.port}`),
    key(`master/${name}/host`, master.host),
    key(`master/${name}/port`, String(master.port)),
    key(`master/${name}/epoch`, '1'),
    { Node: { Verb: 'set', Node: { Node: node, Address: master.host } } },
    ...service('bare-master', master),
    ...service('bare-replica', old),
  ];
}

/** Sends transactions over open connections, of which it keeps `connections`. */
export function transactionSender(
  consul: Address,
  { connections }: { readonly connections: number },
): (operations: readonly object[]) => Promise<string> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  return (operations) => {
    const payload = Buffer.from(JSON.stringify(operations));
    return new Promise((resolve, reject) => {
      const request = http.request(
        { ...consul, agent, method: 'PUT', path: '/v1/txn', headers: { 'content-length': payload.length } },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            body += chunk;
          });
          response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))));
        },
      );
      request.on('error', reject);
      request.end(payload);
    });
  };
}
