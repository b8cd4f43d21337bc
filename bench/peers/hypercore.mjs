// A holder of one hypercore over TCP: the author appends, readers download and share all of it live.
//
//     node hypercore.mjs FOLDER [KEY]
//
// Without a key it is the author. One append a record: each comes signed and is checked with its
// path in the Merkle tree. Connections are the library's own (Noise, multiplexed), all peers equal.

import { connect, createServer } from 'node:net'
import Hypercore from 'hypercore'
import { Inbox, makeRecord, publish, serve } from './lines.mjs'

const FILL_BATCH = 100

const [folder, key] = process.argv.slice(2)
const core = new Hypercore(folder, key && Buffer.from(key, 'hex'))
await core.ready()

const inbox = new Inbox()
if (key) {
  core.on('download', number => inbox.takeNumber(number))
  core.download({ start: 0, end: -1 })
}

function replicate (socket, isInitiator) {
  socket.setNoDelay(true)
  const stream = core.replicate(isInitiator)
  for (const end of [socket, stream]) end.on('error', () => socket.destroy())
  stream.pipe(socket).pipe(stream)
}

const server = createServer(socket => replicate(socket, false))
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

await serve({ address: String(server.address().port), key: core.key.toString('hex') }, {
  connect: async ({ to }) => {
    for (const port of to) {
      await new Promise((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', resolve).once('error', reject)
        replicate(socket, true)
      })
    }
    return {}
  },
  links: async () => ({ count: core.peers.length }),
  publish: request => publish(data => core.append(data), request),
  fill: async ({ count, size }) => {
    for (let first = 0; first < count; first += FILL_BATCH) {
      const length = Math.min(FILL_BATCH, count - first)
      await core.append(Array.from({ length }, (_, index) => makeRecord(first + index, size)))
    }
    return {}
  },
  count: inbox.count,
  arrivals: inbox.arrivals
})
process.exit(0)
