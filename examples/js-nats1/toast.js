const nats = require('nats').connect({ url: process.env.NATS_URL, json: true, maxReconnectAttempts: -1 })

nats.subscribe('hardware.usb.add', (msg) => {
    nats.publish('toast.in', 'a USB stick was plugged in!');
});
nats.flush(() => console.log('connected'))
