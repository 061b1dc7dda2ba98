#!/bin/sh
# run-redis.sh PROGRAM CONFIG [LINE...]
# Starts redis-server or redis-sentinel with a copy of CONFIG and more lines. The copy is made at the first start only, because
# Sentinel then keeps the role of each Redis in it, and its own state with the epochs. Both must survive a restart.
set -eu
program=$1
config=$2
shift 2
own=/data/${config##*/}
if [ ! -e "$own" ]; then
  { cat "$config"; for line; do echo "$line"; done; } > "$own.new"
  mv "$own.new" "$own"
fi
exec "$program" "$own"
