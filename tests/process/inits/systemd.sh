# systemd reads the definitions; the converter makes service directories of them that lunix-init runs.
. "$0.prepare"
# It complains of what it would not start, and of what it does not know.
systemd-analyze verify --man=no "$services"/systemd/*.service 2>&1 | tee /run/complaints
grep -F "$services/systemd" /run/complaints && exit 1
XDG_RUNTIME_DIR=/run systemd-analyze verify --user --man=no "$services"/systemd/user/lunix-init.service 2>&1 | tee /run/complaints
grep -F "$services/systemd" /run/complaints && exit 1
systemd-sysusers --dry-run "$services/systemd/sysusers.d/lunix.conf"
cd "$services/systemd"
lunix service convert --output /run/services ./*.service
lunix-init --services /run/services --control /run/init.sock &
ready() {
    [ "$(lunix service list --control /run/init.sock | awk '$2 == "ready"' | wc -l)" = 5 ]
}
wait_for ready
check_daemons
kill -TERM "$(process_of lunix-init)"
wait
echo passed
