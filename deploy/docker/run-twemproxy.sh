#!/bin/sh
# Starts twemproxy as soon as switchmaster has written its config. twemproxy cannot reload: restart-twemproxy.sh connects to a
# socket, which runs stop-twemproxy.sh here, and this script starts it again at once with the current config.
folder=/run/twemproxy
until [ -s "$folder/nutcracker.yml" ]; do sleep 0.1; done
trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM INT
rm -f "$folder/restart.sock"
socat "UNIX-LISTEN:$folder/restart.sock,fork,mode=600" EXEC:stop-twemproxy.sh &
while :; do
  # Without a name, the log goes to standard error.
  nutcracker --conf-file "$folder/nutcracker.yml" --output '' --stats-addr 127.0.0.1 &
  pid=$!
  echo "$pid" > "$folder/nutcracker.pid"
  wait "$pid"
  # After a stop it starts again at once. After exit 1 (an invalid config) it waits, to avoid a busy loop.
  [ $? -eq 1 ] && sleep 0.5
done
