const nats = require('nats').connect({ url: process.env.NATS_URL, json: true })

nats.request('ps.calibre', (pid) => {
    console.log(`HEAT! calibre runs as ${pid}`);
});
setTimeout(() => { console.log('done'); nats.close() }, 1000)
