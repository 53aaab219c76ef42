#!/bin/sh
# Does something only while calibre runs.
if pid=$(lunix req ps.calibre 2>/dev/null); then
    echo "HEAT! calibre runs as $pid"
else
    echo "no heat: calibre does not run"
fi
