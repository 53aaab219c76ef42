import { bus } from './bus.mjs'
const nc = await bus()
nc.subscribe('hardware.usb.add', { callback: (err, m) => m.json().filesystem && nc.publish('toast.in', 'a USB stick was plugged in!') })
