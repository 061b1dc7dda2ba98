import t from 'tap';
import { Hub } from '../../lib/endpoint/hub.ts';

class Recorder {
  readonly protocol: 2 | 3;
  readonly received: Buffer[] = [];

  constructor(protocol: 2 | 3) {
    this.protocol = protocol;
  }

  get sent(): readonly string[] {
    return this.received.map(String);
  }

  send(bytes: Buffer): void {
    this.received.push(bytes);
  }
}

const messages = [
  { channel: '+failover-end', payload: 'a' },
  { channel: '+switch-master', payload: 'é' },
];
const switched = '*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$2\r\né\r\n';

t.test('a connection gets its messages in order, in one write', async (t) => {
  const [hub, one, all] = [new Hub(), new Recorder(2), new Recorder(3)];
  hub.add('channel', '+switch-master', one);
  hub.add('pattern', '*', all);
  hub.publish(messages);
  t.strictSame(one.sent, [switched]);
  const ofPattern = (channel: string, payload: string) =>
    `>4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$${channel.length}\r\n${channel}\r\n$${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
  t.strictSame(all.sent, [ofPattern('+failover-end', 'a') + ofPattern('+switch-master', 'é')]);
});

t.test('a connection that follows a channel twice gets a message for each, and none after it leaves', async (t) => {
  const [hub, both] = [new Hub(), new Recorder(2)];
  hub.add('channel', '+switch-master', both);
  hub.add('pattern', '+s*', both);
  hub.publish(messages);
  t.equal(both.sent.length, 1);
  t.match(both.sent[0], /^\*3.*\*4/s);
  hub.remove('channel', '+switch-master', both);
  hub.remove('pattern', '+s*', both);
  hub.publish(messages);
  t.equal(both.sent.length, 1);
});

t.test('connections with the same messages share the encoded bytes', async (t) => {
  const hub = new Hub();
  const [one, two, other] = [new Recorder(2), new Recorder(2), new Recorder(2)];
  for (const { channel } of messages) for (const both of [one, two]) hub.add('channel', channel, both);
  hub.add('channel', '+switch-master', other);
  hub.publish(messages);
  t.equal(one.received[0], two.received[0]);
  t.strictSame([other.sent, other.received.length], [[switched], 1]);
});
