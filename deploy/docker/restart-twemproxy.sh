#!/bin/sh
# Stops twemproxy. Its container shares its process ids with this one, and run-twemproxy.sh starts it again.
pid_file=/run/twemproxy/nutcracker.pid
[ -s "$pid_file" ] || exit 0
kill "$(cat "$pid_file")"
