#!/bin/sh
# Knows which sticks there are, whatever was missed: --state lists first, drops what is older, and lists again after a gap.
exec lunix sub 'hardware.usb.*' --state
