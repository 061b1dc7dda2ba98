#!/bin/sh
# create-cluster.sh ADDRESS...
# Makes a Redis Cluster of these nodes, with one replica for each master, unless they are one already.
set -eu
host=${1%:*}
port=${1##*:}
redis-cli -h "$host" -p "$port" cluster info | grep -q cluster_state:ok ||
  redis-cli --cluster create "$@" --cluster-replicas 1 --cluster-yes
exec sleep infinity
