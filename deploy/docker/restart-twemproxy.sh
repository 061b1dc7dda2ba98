#!/bin/sh
# Ends twemproxy, whose container shares its process ids with this one; run-twemproxy.sh starts it again.
pid_file=/run/twemproxy/nutcracker.pid
[ -s "$pid_file" ] || exit 0
kill "$(cat "$pid_file")"
