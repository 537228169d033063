import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { EmbeddedBroker } from '../../../collector/ingest/embedded-broker.ts'
import { openStore } from '../../../collector/store/index.ts'
import { CertificateWatch } from '../../../collector/trust/certificate-watch.ts'
import { loadOrCreateKeys } from '../../../collector/trust/keys.ts'
import { ensureServerCertificate, type ServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { random } from '../../../shared/crypto/node.ts'
import { join } from 'node:path'
import { useScratchDirectories } from '../../support/scratch.ts'
import { SILENT } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('certificate-watch')
const DAY = 86_400_000
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** The certificate that is shown to who connects now. */
function shown(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? ''
      socket.destroy()
      resolve(fingerprint)
    })
    socket.on('error', reject)
  })
}
const fingerprintOf = ({ certificate }: ServerCertificate): string => new X509Certificate(certificate).fingerprint256

it('a collector that is not restarted renews its certificate before it ends, and shows it from then on', async () => {
  const directory = scratch()
  let now = Date.now()
  const keys = await loadOrCreateKeys({ dataDirectory: directory, now, random })
  const { authority } = keys
  const ensure = (): Promise<ServerCertificate> =>
    ensureServerCertificate({ directory: keys.directory, authority, names: ['127.0.0.1'], now, random })
  const current = await ensure()
  const { store, close } = await openStore({ path: join(directory, 'collector.db') })
  stops.push(close)
  const tls = { key: current.privateKey, cert: current.certificate, ca: authority.certificate }
  const broker = new EmbeddedBroker({ host: '127.0.0.1', port: 0, tls, store, logger: SILENT })
  await broker.start()
  stops.push(() => broker.stop())
  const used: string[] = []
  const watch = new CertificateWatch({
    current,
    ensure,
    use: (next) => {
      used.push(fingerprintOf(next))
      broker.useCertificate({ key: next.privateKey, cert: next.certificate })
    },
    logger: SILENT,
  })
  await watch.look()
  expect([await shown(broker.port, tls.ca), used]).toEqual([fingerprintOf(current), []])
  now += 310 * DAY
  await watch.look()
  await watch.look()
  expect(used).toHaveLength(1)
  expect(used).not.toEqual([fingerprintOf(current)])
  // Its beginning is still to come here, where the clock has not moved.
  const objection = await shown(broker.port, tls.ca).catch((error: unknown) => (error as { code?: string }).code)
  expect(objection).toBe('CERT_NOT_YET_VALID')
})
