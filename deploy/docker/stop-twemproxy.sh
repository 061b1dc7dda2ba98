#!/bin/sh
# Stops the twemproxy of this container. run-twemproxy.sh starts it again.
kill "$(cat /run/twemproxy/nutcracker.pid)" && echo stopped
