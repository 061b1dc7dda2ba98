import { createSentinel } from 'redis';

export function makeClient(sentinels, name, sentinelClientOptions = {}) {
  const client = createSentinel({
    sentinelRootNodes: sentinels, // [{ host: '127.0.0.1', port: 26379 }]
    name, // 'shard1'
    scanInterval: 1000,
    commandOptions: { timeout: 500 },
    nodeClientOptions: { socket: { connectTimeout: 500 } },
    sentinelClientOptions,
  });
  client.on('error', (error) => console.error(String(error)));
  return client;
}
