# The first process of a host of the pair, in namespaces of its own: it waits for its network, makes the folders that the host's programs
# write to its own, and reaps.
set -e
while ! ip link show eth0 > /dev/null 2>&1; do sleep 0.02; done
ip link set lo up
ip address add "$ADDRESS/24" dev eth0
ip link set eth0 up
ip route add default via "$GATEWAY"
mount -t tmpfs none /mnt
mkdir -p /mnt/etc /mnt/work /mnt/bin
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/work /etc
mount -t tmpfs none /run
mkdir -p /run/haproxy /etc/keepalived /etc/switchmaster "$UNITS"
cp "$SYSTEMCTL" "$BIN/systemctl"
printf '#!/bin/sh\nexec %s "$@"\n' "$SWITCHMASTER" > "$BIN/switchmaster"
chmod +x "$BIN/systemctl" "$BIN/switchmaster"
# As Debian's units start them.
echo haproxy -W -S /run/haproxy-master.sock -f /etc/haproxy/haproxy.cfg > "$UNITS/haproxy.service"
echo USR2 > "$UNITS/haproxy.reload"
echo keepalived --dont-fork --log-console --log-detail > "$UNITS/keepalived.service"
echo HUP > "$UNITS/keepalived.reload"
echo switchmaster run --config /etc/switchmaster > "$UNITS/switchmaster.service"
echo HUP > "$UNITS/switchmaster.reload"
touch /run/host-ready
sleep infinity &
wait
