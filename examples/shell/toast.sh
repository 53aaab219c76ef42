#!/bin/sh
# Says so when a USB stick is plugged in.
lunix sub hardware.usb.add --get filesystem | while read -r node; do
    lunix pub toast.in "a USB stick was plugged in!"
done
