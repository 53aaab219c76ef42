const nats = require('nats').connect({ url: process.env.NATS_URL, json: true, maxReconnectAttempts: -1 })
let epoch, seq, sticks = new Map()
function list () {
  const request = nats.request('hardware.list', 'usb', { max: 1 }, (all) => {
    ({ epoch, seq } = all)
    become(new Map(all.items.filter(stick => stick.filesystem).map(stick => [stick.devpath, stick.filesystem])))
  })
  nats.timeout(request, 1000, 1, list)                                     // natsdev is not back yet either
}
nats.subscribe('hardware.*.*', (event, reply, subject) => {
  if (event.epoch !== epoch || event.seq > seq + 1) return list()          // missed something: list again
  if (event.seq <= seq) return                                             // older than the list: drop it
  seq = event.seq
  const next = new Map(sticks)
  if (subject === 'hardware.usb.add' && event.filesystem) next.set(event.devpath, event.filesystem)
  if (subject === 'hardware.usb.remove') next.delete(event.devpath)
  become(next)
})
function become (next) {
  for (const [devpath, node] of next) if (!sticks.has(devpath)) console.log(`+ ${node}`)
  for (const [devpath, node] of sticks) if (!next.has(devpath)) console.log(`- ${node}`)
  sticks = next
}
nats.on('reconnect', list)
nats.flush(list)
