// A member of a gossipsub network, by js-libp2p: each message signed, and checked where it comes.
// All settings are the library's own, but that scores by address allow many nodes on one address.

import { noise } from '@chainsafe/libp2p-noise'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Inbox, publish, serve } from './lines.mjs'

const TOPIC = 'bench'

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { inboundConnectionThreshold: 1000 },
  services: {
    identify: identify(),
    pubsub: gossipsub({ scoreParams: { IPColocationFactorWeight: 0 } })
  }
})
const { pubsub } = node.services
const inbox = new Inbox()
pubsub.addEventListener('message', ({ detail }) => inbox.take(detail.data))
pubsub.subscribe(TOPIC)

await serve({ address: node.getMultiaddrs()[0].toString() }, {
  connect: async ({ to }) => {
    for (const address of to) await node.dial(multiaddr(address))
    return {}
  },
  links: async () => ({ count: pubsub.getMeshPeers(TOPIC).length }),
  publish: request => publish(data => pubsub.publish(TOPIC, data), request),
  count: inbox.count,
  arrivals: inbox.arrivals
})
await node.stop()
process.exit(0)
