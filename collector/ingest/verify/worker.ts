import { parentPort, workerData } from 'node:worker_threads'
import { unpacked } from './batch.ts'
import { proofsOf, WorkerKeys } from './check.ts'
import { PROOF_BYTES } from './proof.ts'

const port = parentPort
if (port === null) throw new Error('to be started as a worker thread')
const keys = new WorkerKeys((workerData as { readonly keys: number }).keys)
port.on('message', (batch: ArrayBuffer) => {
  const messages = unpacked(batch)
  const proofs = new Uint8Array(messages.length * 2 * PROOF_BYTES)
  for (const [index, message] of messages.entries()) proofs.set(proofsOf(message, keys), index * 2 * PROOF_BYTES)
  port.postMessage(proofs.buffer, [proofs.buffer])
})
