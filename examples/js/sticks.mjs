import { bus } from './bus.mjs'
const nc = await bus()
let epoch, seq, sticks = new Map()
async function list () {
  const answer = await nc.request('hardware.list', 'usb').catch(() => null)
  if (!answer) return setTimeout(list, 1000)                               // natsdev is not back yet either
  const all = answer.json()
  ;({ epoch, seq } = all)
  become(new Map(all.items.filter(stick => stick.filesystem).map(stick => [stick.devpath, stick.filesystem])))
}
nc.subscribe('hardware.*.*', { callback: (err, m) => {
  const event = m.json()
  if (event.epoch !== epoch || event.seq > seq + 1) return list()          // missed something: list again
  if (event.seq <= seq) return                                             // older than the list: drop it
  seq = event.seq
  const next = new Map(sticks)
  if (m.subject === 'hardware.usb.add' && event.filesystem) next.set(event.devpath, event.filesystem)
  if (m.subject === 'hardware.usb.remove') next.delete(event.devpath)
  become(next)
} })
function become (next) {
  for (const [devpath, node] of next) if (!sticks.has(devpath)) console.log(`+ ${node}`)
  for (const [devpath, node] of sticks) if (!next.has(devpath)) console.log(`- ${node}`)
  sticks = next
}
await list()
for await (const status of nc.status()) if (status.type === 'reconnect') await list()
