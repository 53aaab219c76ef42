import { bus } from './bus.mjs'
const nc = await bus()
try {
  console.log(`HEAT! calibre runs as ${(await nc.request('ps.calibre')).string()}`)
} catch (error) {
  console.log(`no heat: ${error.message}`)
}
await nc.close()
