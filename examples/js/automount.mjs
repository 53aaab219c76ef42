import { execFileSync } from 'node:child_process'
import { bus } from './bus.mjs'
const place = process.env.PLACE ?? '/myplace'
const nc = await bus()
nc.subscribe('hardware.usb.add', { callback: (err, m) => m.json().filesystem && execFileSync('mount', [m.json().filesystem, place]) })
nc.subscribe('hardware.usb.remove', { callback: (err, m) => m.json().filesystem && execFileSync('umount', [place]) })
