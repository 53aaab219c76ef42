# runsvdir runs the definitions.
. "$0.prepare"
cp -r "$services/runit" /etc/lunix-sv
mkdir /run/service
for name in $daemons; do ln -s "/etc/lunix-sv/$name" /run/service/; done
runsvdir -P /run/service &
check_daemons
before=$(process_of natsnet)
kill -9 "$before"
wait_for runs natsnet
wait_for lunix req '$SRV.PING.natsnet'
for name in $clients lunix-bus; do
    sv -w 20 stop "/run/service/$name"
    wait_for runs_not "$name"
done
# A user's own supervisor.
mkdir -p /run/home/somebody/.config/lunix/services/hello
printf '#!/bin/sh\nid -un >hello\nexec sleep 1000\n' | sed 's|>hello|>/run/home/somebody/hello|' >/run/home/somebody/.config/lunix/services/hello/run
chmod +x /run/home/somebody/.config/lunix/services/hello/run
chown -R somebody:somebody /run/home/somebody
echo somebody >/etc/lunix-sv/lunix-init/user
ln -s /etc/lunix-sv/lunix-init /run/service/
wait_for grep -qx somebody /run/home/somebody/hello
lunix service list --control /run/home/somebody/.config/lunix/init.sock
sv -w 20 stop /run/service/lunix-init
wait_for runs_not lunix-init
echo passed
