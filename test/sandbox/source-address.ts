import { Socket } from 'node:net';

type Connect = (...args: unknown[]) => Socket;

/**
 * From now on every TCP connection of this process comes from this IP, like those of a daemon on another node. Libraries
 * offer no such setting for all their connections, so it changes `Socket.prototype.connect`, which all of them use. Its
 * first argument is options, or the list that `net.connect` made of them.
 */
export function connectFrom(host: string): void {
  const connect = Socket.prototype.connect as Connect;
  Socket.prototype.connect = function connectFromHost(this: Socket, ...args: unknown[]) {
    const [first] = args;
    const options: unknown = Array.isArray(first) ? first[0] : first;
    if (typeof options !== 'object' || options === null || !('port' in options)) return connect.apply(this, args);
    const target = options as { localAddress?: string | undefined };
    const before = target.localAddress;
    target.localAddress ??= host;
    const socket = connect.apply(this, args);
    // An HTTP agent finds its idle connections by these options. With other options it would keep each of them without a
    // use.
    target.localAddress = before;
    return socket;
  } as typeof Socket.prototype.connect;
}
