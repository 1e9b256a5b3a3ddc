// A whole Bluesky network on this machine, for tests/peers/test_bluesky_peers.py: account server, directory and app view of
// the vendor's own development kit. Asks for PostgreSQL and Redis; says where it is, and runs until it is ended.
import workerThreads from 'node:worker_threads'
import zlib from 'node:zlib'

// What Node 20 lacks, and the kit names without using it here.
zlib.createZstdDecompress ??= () => { throw new Error('this Node has no zstd') }
zlib.createZstdCompress ??= zlib.createZstdDecompress
workerThreads.markAsUncloneable ??= () => {}

const { TestNetwork } = await import(`${process.env.PEER_FOLDER}/node_modules/@atproto/dev-env/dist/index.js`)
const network = await TestNetwork.create({
  dbPostgresUrl: process.env.PEER_POSTGRES,
  dbPostgresSchema: 'peer',
  pds: { port: Number(process.env.PEER_PORT) },
})
console.log(`ready at ${network.pds.url}`)
