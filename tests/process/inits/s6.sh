# s6-svscan runs the definitions, and waits for their readiness.
. "$0.prepare"
cp -r "$services/s6" /run/service
echo somebody >/run/service/lunix-init/user
s6-svscan /run/service &
for name in $daemons lunix-init; do wait_for test -e "/run/service/$name/supervise/control"; done
for name in $daemons lunix-init; do
    # Ready, not only up: -U.
    s6-svwait -t 20000 -U "/run/service/$name"
    s6-svstat -o ready "/run/service/$name" | grep -qx true
    echo "$name is ready"
done
check_daemons
for name in $clients lunix-bus lunix-init; do
    s6-svc -wD -T 20000 -d "/run/service/$name"
    wait_for runs_not "$name"
done
s6-svscanctl -t /run/service
wait_for runs_not s6-svscan
echo passed
