import { X509Certificate } from 'node:crypto'
import { KeepsealError } from '../../shared/errors.ts'
import { isDue } from '../renew/schedule.ts'
import { loadIdentity } from '../state/identity.ts'
import { BUILD_TIME_MS, timeFloor } from '../transport/floor.ts'
import { good, type Check, type CheckContext } from './check.ts'

const DAY_MS = 86_400_000

/** PEM of the client certificate; undefined for a device that is not enrolled, or whose identity cannot be read. */
async function certificateOf({ config }: CheckContext): Promise<string | undefined> {
  try {
    return (await loadIdentity(config.state.directory)).tls.certificate
  } catch (error) {
    if (error instanceof KeepsealError) return undefined
    throw error
  }
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

export const certificate: Check = {
  id: 'certificate',
  title: 'Client certificate',
  async run(context) {
    const pem = await certificateOf(context)
    if (pem === undefined) return { status: 'unknown', detail: 'known after the enrolment only' }
    const now = context.host.now() * 1000
    const end = Date.parse(new X509Certificate(pem).validTo)
    const remedy =
      'The service renews it by itself, over HTTPS from the collector: see why it did not, journalctl -u keepseal-agent'
    if (end <= now) return { status: 'failed', detail: `expired on ${day(end)}`, remedy }
    const detail = `until ${day(end)}, ${Math.floor((end - now) / DAY_MS)} days`
    // It is tried from two thirds of its life on; a day later it has failed.
    return isDue(pem, now - DAY_MS) ? { status: 'warning', detail: `${detail}, and not renewed`, remedy } : good(detail)
  },
}

export const clock: Check = {
  id: 'clock',
  title: 'Clock',
  async run(context) {
    const pem = await certificateOf(context)
    const floor = pem === undefined ? BUILD_TIME_MS : timeFloor({ certificate: pem, newestEpochMs: null })
    const now = context.host.now() * 1000
    if (now >= floor) return good(new Date(now).toISOString())
    const why = pem === undefined ? 'this software was made' : 'this device was certified'
    return {
      status: 'warning',
      detail: `${new Date(now).toISOString()} is before ${why}`,
      remedy: 'Set the time. The agent reports nevertheless, but dates in its log are wrong.',
    }
  },
}
