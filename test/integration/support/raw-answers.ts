import { connect } from 'node:net';
import { type Address, formatAddress } from '../../../lib/model/address.ts';

const timeoutMs = 20_000;
const mark = 'the end of the answers';
/** As a reply, or as that of a connection that is subscribed. */
const end = new RegExp(`(?:[*>]2\\r\\n\\$4\\r\\npong\\r\\n)?\\$${mark.length}\\r\\n${mark}\\r\\n$`);

/** What a server sends for commands on a connection of their own, as text. */
export async function readRaw(
  address: Address,
  { commands, protocol }: { readonly commands: readonly (readonly string[])[]; readonly protocol: 2 | 3 },
): Promise<string> {
  const hello = await exchange(address, [['HELLO', String(protocol)]]);
  const all = await exchange(address, [['HELLO', String(protocol)], ...commands]);
  // Its answer has the number of the connection.
  const helloLines = hello.split('\r\n').length;
  return all
    .split('\r\n')
    .slice(helloLines - 1)
    .join('\r\n');
}

function exchange(address: Address, commands: readonly (readonly string[])[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, timeout: timeoutMs });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
      if (end.test(text)) socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error(`${formatAddress(address)} sends no end: ${text}`)));
    socket.on('error', reject);
    socket.on('close', () => resolve(text.replace(end, '')));
    for (const command of [...commands, ['PING', mark]]) socket.write(encode(command));
  });
}

function encode(command: readonly string[]): string {
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${words.join('')}`;
}

/** The same text without the values of some fields. */
export function maskFields(text: string, fields: ReadonlySet<string>): string {
  const lines = text.split('\r\n');
  for (const [i, line] of lines.entries()) {
    if (!fields.has(line)) continue;
    const isBulk = lines[i + 1]?.startsWith('$') === true;
    lines.splice(i + 1, isBulk ? 2 : 1, ...(isBulk ? ['', ''] : ['']));
  }
  return lines.join('\r\n');
}
