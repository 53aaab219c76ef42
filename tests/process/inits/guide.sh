# A machine that lunix-init supervises, for the commands of a page of the guide.
. "$0.prepare"
mkdir -p /etc/lunix/services /run/bin /run/lunix /etc/systemd/system
for name in sv chpst s6-svc s6-svstat s6-svwait; do ln -s "$programs/lunix-sv" "/run/bin/$name"; done
PATH=/run/bin:$PATH
lunix-init --services /etc/lunix/services --control /run/lunix/init.sock &
wait_for test -S /run/lunix/init.sock
echo "lunix-init listens"
wait
