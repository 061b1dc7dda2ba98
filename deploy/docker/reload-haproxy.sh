#!/bin/sh
# Has HAProxy, in its own container, take over its new config. Before its first start there is nothing to reload.
socket=/run/haproxy/master.sock
[ -S "$socket" ] || exit 0
echo reload | socat -t 5 - "UNIX-CONNECT:$socket"
