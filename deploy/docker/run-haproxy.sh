#!/bin/sh
# Starts HAProxy as soon as switchmaster has written its config.
config=/run/haproxy/haproxy.cfg
until [ -s "$config" ]; do sleep 0.1; done
exec haproxy -W -S /run/haproxy/master.sock -f "$config"
