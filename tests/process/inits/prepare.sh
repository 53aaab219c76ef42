# A machine of its own within namespaces, for one init: /run, /etc and /usr/bin are layers that vanish; the daemons have their users.
# $1: the programs, $2: the definitions of services/, $3: the configuration of the bus
set -eu
programs=$1 services=$2 configuration=$3
mount -t tmpfs tmpfs /run
ip link set lo up
for place in etc usr/bin; do
    mkdir -p "/run/layers/$place/upper" "/run/layers/$place/work"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=/run/layers/$place/upper,workdir=/run/layers/$place/work" "/$place"
done
cp "$programs"/lunix "$programs"/lunix-bus "$programs"/lunix-init "$programs"/nats[dnpt]* /usr/bin/
rm -f /usr/bin/nats*.d
mkdir -p /etc/lunix
cp "$configuration"/bus.conf "$configuration"/bus-users.conf /etc/lunix/
echo session:x:949: >>/etc/group
number=950
for name in lunix-bus natsdev natsinit natsnet natsps natstoast somebody; do
    echo "$name:x:$number:$number::/run/home/$name:/bin/sh" >>/etc/passwd
    echo "$name:x:$number:" >>/etc/group
    echo "$name:*:19000:0:99999:7:::" >>/etc/shadow
    mkdir -p "/run/home/$name"
    chown "$number:$number" "/run/home/$name"
    number=$((number + 1))
done

clients="natsdev natsnet natsps natstoast"
daemons="lunix-bus $clients"

# Waits until a command succeeds, for 20 s at most.
wait_for() {
    end=$(($(date +%s) + 20))
    until "$@" >/run/last 2>&1; do
        if [ "$(date +%s)" -ge "$end" ]; then
            echo "gave up waiting for: $*"
            cat /run/last
            exit 1
        fi
        sleep 0.05
    done
}

# The process of that name (the first 15 letters of it).
process_of() {
    pgrep -x "$1" | head -1
}

runs() {
    process_of "$1" | grep -q .
}

runs_not() {
    ! runs "$1"
}

# Everybody answers on the bus, as the user of its own name and with the capabilities that it needs, no more.
check_daemons() {
    for name in $clients; do
        wait_for lunix req "\$SRV.PING.$name"
    done
    for name in $daemons; do
        pid=$(process_of "$name")
        user=$(stat -c %U "/proc/$pid")
        capabilities=$(sed -n 's/^CapEff:\t//p' "/proc/$pid/status")
        wanted=0000000000000000
        if [ "$name" = natsps ]; then wanted=0000000000001000; fi
        echo "$name runs as $user with $capabilities"
        [ "$user" = "$name" ] && [ "$capabilities" = "$wanted" ]
    done
    for domain in hardware network process; do
        lunix req "$domain.list" | grep -q '"seq"'
    done
}
