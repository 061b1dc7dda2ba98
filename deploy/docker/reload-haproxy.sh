#!/bin/sh
# Reloads HAProxy, which runs in its own container. Before its first start there is nothing to reload.
socket=/run/haproxy/master.sock
[ -S "$socket" ] || exit 0
echo reload | socat -t 5 - "UNIX-CONNECT:$socket"
