#!/bin/sh
# twemproxy, from the moment that switchmaster has written its config. It has no reload: it is ended
# (restart-twemproxy.sh), and starts here at once with the config as it is then.
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
  # Ended by us it starts again at once; by itself (exit 1, a config it cannot use) not in a tight circle.
  [ $? -eq 1 ] && sleep 0.5
done
