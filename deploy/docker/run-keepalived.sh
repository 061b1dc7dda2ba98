#!/bin/sh
# Starts keepalived as soon as switchmaster has written its config.
config=/run/keepalived/keepalived.conf
until [ -s "$config" ]; do sleep 0.1; done
exec keepalived-privileged --vrrp --dont-fork --log-console --use-file "$config" \
  --pid /tmp/keepalived.pid --vrrp_pid /tmp/vrrp.pid
