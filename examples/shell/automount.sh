#!/bin/sh
# Mounts a USB stick on /myplace (or $PLACE) and unmounts it when it is gone. With --state sticks that are there already count too.
place=${PLACE:-/myplace}
lunix sub hardware.usb.add --get filesystem | while read -r node; do mount "$node" "$place"; done &
lunix sub hardware.usb.remove --get filesystem | while read -r node; do umount "$place"; done
