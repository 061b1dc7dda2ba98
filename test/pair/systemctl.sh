#!/bin/sh
# systemctl, as far as the guide and switchmaster use it, for the services of one host of the pair. UNITS has a file for each service:
# NAME.service with its command, and NAME.pid while it has been started.
action=$1 unit=$2
[ "$action" = kill ] && signal=$3 unit=$4
pid=$(cat "$UNITS/$unit.pid" 2>/dev/null)

runs() {
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

start() {
  runs && return
  rm -f "$UNITS/$unit.pid"
  setsid sh -c 'echo $$ > "$0.pid" && exec sh -c "exec $(cat "$0.service")"' "$UNITS/$unit" >> "$LOGS-$unit.log" 2>&1 < /dev/null &
  while ! [ -s "$UNITS/$unit.pid" ]; do sleep 0.02; done
}

stop() {
  runs && kill "$pid"
  while runs; do sleep 0.02; done
}

case $action in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  reload) runs && kill "-$(cat "$UNITS/$unit.reload")" "$pid" ;;
  reload-or-restart) if runs; then kill "-$(cat "$UNITS/$unit.reload")" "$pid"; else start; fi ;;
  # All processes of the service.
  kill) kill "-$signal" "-$pid" ;;
  *) echo "systemctl $action is not known here" >&2; exit 1 ;;
esac
