const nats = require('nats').connect({ url: process.env.NATS_URL, json: true, maxReconnectAttempts: -1 })
const { execFileSync } = require('child_process')
const place = process.env.PLACE || '/myplace'
const mount = (node, at) => node && execFileSync('mount', [node, at])
const umount = (at) => execFileSync('umount', [at])

nats.subscribe('hardware.usb.add', (msg) => {
    mount(msg.filesystem, place);
});
nats.subscribe('hardware.usb.remove', (msg) => {
    msg.filesystem && umount(place);
});
nats.flush(() => console.log('connected'))
