# The source tree of s6-rc is one that lunix-init runs, too; s6-rc compiles it where it is installed.
. "$0.prepare"
cp -r "$services/s6-rc" /run/source
if command -v s6-rc-compile >/dev/null; then
    s6-rc-compile /run/compiled /run/source
    echo "compiled by s6-rc-compile"
else
    echo "s6-rc-compile is not here"
fi
lunix-init --check-config --services /run/source
lunix-init --services /run/source --control /run/init.sock &
ready() {
    [ "$(lunix service list --control /run/init.sock | awk '$2 == "ready"' | wc -l)" = 5 ]
}
wait_for ready
check_daemons
kill -TERM "$(process_of lunix-init)"
wait
for name in $daemons; do wait_for runs_not "$name"; done
echo passed
