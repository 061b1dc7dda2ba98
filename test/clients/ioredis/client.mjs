import { Redis } from 'ioredis';

export function makeClient(sentinels, name, options = {}) {
  const client = new Redis({
    sentinels, // [{ host: '127.0.0.1', port: 26379 }]
    name, // 'shard1'
    failoverDetector: true,
    connectTimeout: 500,
    commandTimeout: 500,
    sentinelCommandTimeout: 500,
    disconnectTimeout: 100,
    retryStrategy: (times) => Math.min(10 * times, 100),
    sentinelRetryStrategy: (times) => Math.min(10 * times, 100),
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    ...options,
  });
  client.on('error', (error) => console.error(String(error)));
  // ioredis gives up for good if +switch-master arrives while it reconnects.
  client.on('end', () => client.connect().catch(() => {}));
  return client;
}
