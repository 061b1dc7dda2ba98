#!/bin/sh
# Starts twemproxy as soon as switchmaster has written its config. twemproxy cannot reload: restart-twemproxy.sh stops it, and
# this script starts it again at once with the current config.
config=/run/twemproxy/nutcracker.yml
pid_file=/run/twemproxy/nutcracker.pid
trap 'kill "$pid" 2>/dev/null; exit 0' TERM INT
while :; do
  rm -f "$pid_file"
  until [ -s "$config" ]; do sleep 0.1; done
  nutcracker --conf-file "$config" --stats-addr 127.0.0.1 &
  pid=$!
  echo "$pid" > "$pid_file"
  wait "$pid"
  # After a stop it starts again at once. After exit 1 (an invalid config) it waits, to avoid a busy loop.
  [ $? -eq 1 ] && sleep 0.5
done
