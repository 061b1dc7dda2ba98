"""Subscribers of one server, for bench/endpoint.ts: arrivals.py HOST PORT COUNT.

Prints a line with the text of the confirmation when all connections are subscribed, then a JSON line for each message that all
of them have received: when the kernel received the first and the last copy, in milliseconds since 1970, and the text. The
kernel's times (SO_TIMESTAMPNS, man 7 socket) leave out how long this program takes to read.
"""

import json
import select
import socket
import struct
import sys

SO_TIMESTAMPNS = 35
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
poll = select.epoll()
sockets, arrivals = {}, []


def subscribe():
    connection = socket.create_connection((host, port), timeout=30)
    connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    connection.sendall(b"SUBSCRIBE +switch-master\r\n")
    confirmation = connection.recv(4096)
    sockets[connection.fileno()] = connection
    poll.register(connection.fileno(), select.EPOLLIN)
    return confirmation


def receive(connection):
    text, ancillary, _, _ = connection.recvmsg(4096, 256)
    if not text:
        sys.exit("the server closed a connection")
    seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
    return text, seconds * 1e3 + nanoseconds / 1e6


confirmations = [subscribe() for _ in range(count)]
print(json.dumps({"text": confirmations[-1].decode()}), flush=True)
while True:
    for fd, _ in poll.poll():
        text, received = receive(sockets[fd])
        arrivals.append(received)
    if len(arrivals) >= count:
        print(json.dumps({"firstMs": min(arrivals), "lastMs": max(arrivals), "text": text.decode()}), flush=True)
        arrivals.clear()
