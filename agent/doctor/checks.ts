import { connect } from 'node:tls'
import { KeepsealError } from '../../shared/errors.ts'
import { describeTpm, type TpmDescription } from '../tpm/commands/capabilities.ts'
import { openTpm } from '../tpm/open.ts'
import { chooseTcti, describeTcti, describeTransport } from '../tpm/tcti.ts'
import { loadIdentity } from '../state/identity.ts'
import { readStatus } from '../state/status-file.ts'
import { good, type Check, type CheckResult } from './check.ts'
import { helper } from './helper.ts'
import { idevid } from './idevid.ts'
import { firmwareLog, imaLog } from './logs.ts'
import { sensors } from './sensors.ts'
import { disk, stateDirectory } from './storage.ts'
import { certificate, clock } from './time.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const identity: Check = {
  id: 'identity',
  title: 'Enrolment',
  async run({ config }) {
    try {
      const { ueid, assurance } = await loadIdentity(config.state.directory)
      return good(`${ueid}, ${assurance}`)
    } catch (error) {
      const remedy = error instanceof KeepsealError ? error.remedy : ''
      return { status: 'failed', detail: messageOf(error), remedy }
    }
  },
}

const tpm: Check = {
  id: 'tpm',
  title: 'TPM',
  async run({ config }) {
    const tcti = config.tpm.tcti === 'none' ? undefined : chooseTcti(config.tpm.tcti)
    if (tcti === undefined) {
      return { status: 'warning', detail: 'none: the identity is in software only, and the boot is not proven' }
    }
    try {
      const opened = await openTpm(tcti, { boundMs: 10_000, transport: config.tpm.transport })
      try {
        return tpmResult(await describeTpm(opened), `${describeTcti(tcti)} ${describeTransport(opened)}`)
      } finally {
        await opened.close()
      }
    } catch (error) {
      const remedy = 'Is the user of the service in the group of the TPM? usermod -aG tss keepseal-agent'
      return { status: 'failed', detail: messageOf(error), remedy }
    }
  },
}

/** Quotes work in lockout as well: the attestation key is not subject to it (noDA), and has no password. */
export function tpmResult(tpm: TpmDescription, where: string): CheckResult {
  const { manufacturer, firmwareVersion, lockoutCounter, inLockout } = tpm
  const detail = `${manufacturer}, firmware ${firmwareVersion.join('.')}, at ${where}`
  const remedy =
    'Something gives wrong passwords to the TPM: find it. The agent goes on; other programs wait, or tpm2_dictionarylockout -c'
  if (inLockout) return { status: 'warning', detail: `${detail}, in lockout`, remedy }
  if (lockoutCounter > 0) return { status: 'warning', detail: `${detail}, lockout counter ${lockoutCounter}`, remedy }
  return good(detail)
}

const broker: Check = {
  id: 'broker',
  title: 'Broker',
  async run({ config }) {
    let known: Awaited<ReturnType<typeof loadIdentity>>
    try {
      known = await loadIdentity(config.state.directory)
    } catch {
      return { status: 'unknown', detail: 'known after the enrolment only' }
    }
    const url = new URL(config.mqtt.url === '' ? known.collector.mqttUrl : config.mqtt.url)
    const { privateKey: key, certificate: cert, certificateAuthority: ca } = known.tls
    return new Promise((resolve) => {
      const socket = connect({
        host: url.hostname,
        port: Number(url.port === '' ? 8883 : url.port),
        servername: url.hostname,
        key,
        cert,
        ca,
        timeout: 10_000,
      })
      const end = (result: CheckResult): void => {
        socket.destroy()
        resolve(result)
      }
      socket.once('secureConnect', () => end(good(`${url.host} answers over ${socket.getProtocol() ?? 'TLS'}`)))
      const remedy = 'Check network, address and clock; the broker must present a certificate of the collector.'
      socket.once('timeout', () => end({ status: 'failed', detail: `${url.host} does not answer`, remedy }))
      socket.once('error', (error) => end({ status: 'failed', detail: `${url.host}: ${error.message}`, remedy }))
    })
  },
}

const outbox: Check = {
  id: 'outbox',
  title: 'Outbox',
  async run({ config }) {
    const status = await readStatus(config.state.directory)
    if (status === undefined) return { status: 'unknown', detail: 'no agent has run here yet' }
    const detail = `${status.waiting} waiting, ${status.dropped} dropped, ${status.refused} refused`
    if (status.problem !== null) return { status: 'failed', detail: `${status.problem} (${detail})` }
    return status.dropped + status.refused > 0 ? { status: 'warning', detail } : good(detail)
  },
}

/** All checks, in the order in which they are shown. */
export const CHECKS: readonly Check[] = [
  identity,
  certificate,
  tpm,
  idevid,
  helper,
  firmwareLog,
  imaLog,
  sensors,
  broker,
  outbox,
  stateDirectory,
  disk,
  clock,
]
