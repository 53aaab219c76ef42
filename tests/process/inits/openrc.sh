# OpenRC reads the definitions, starts the daemons under supervise-daemon, and stops them.
. "$0.prepare"
cp "$services"/openrc/* /etc/init.d/
# What `openrc sysinit` makes.
for state in exclusive starting started stopping stopped inactive wasinactive failed hotplugged daemons options scheduled tmp; do
    mkdir -p "/run/openrc/$state"
done
touch /run/openrc/softlevel
mkdir -p /etc/conf.d
echo 'error_log=/run/natsnet.log' >/etc/conf.d/natsnet
for name in $daemons lunix-init; do
    rc-service "$name" describe
done
rc-service lunix-bus start
for name in $clients; do rc-service "$name" start; done
check_daemons
for name in $daemons; do
    rc-service "$name" status
    rc-service "$name" reload
done
wait_for grep -q "configuration read again" /run/natsnet.log
for name in $clients lunix-bus; do
    rc-service "$name" stop
    wait_for runs_not "$name"
done
if rc-service lunix-init start; then echo "it started without a user"; exit 1; fi
echo user=somebody >/etc/conf.d/lunix-init
rc-service lunix-init start
wait_for lunix service list --control /run/home/somebody/.config/lunix/init.sock
[ "$(stat -c %U "/proc/$(process_of lunix-init)")" = somebody ]
rc-service lunix-init stop
wait_for runs_not lunix-init
echo passed
