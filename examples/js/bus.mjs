// Connects to NATS_URL, with the user and password in it where there are any.
import { connect } from '@nats-io/transport-node'
export async function bus () {
  const url = new URL(process.env.NATS_URL ?? 'nats://127.0.0.1:4222')
  const nc = await connect({ servers: url.host, user: url.username || undefined, pass: url.password || undefined, maxReconnectAttempts: -1 })
  console.log('connected')
  return nc
}
