import { gunzipSync } from 'node:zlib'
import type { Host } from '../host.ts'

const LOG = '/var/log/apt/history.log'
/** What logrotate makes of it each month. */
const ROTATED = `${LOG}.1.gz`
const MAX_LOG_BYTES = 8 * 1024 * 1024
const MAX_ROTATED_BYTES = 1024 * 1024

/** When apt last upgraded a package, in seconds since 1970, by the log that it writes. */
export function lastUpgrade(host: Host): number | undefined {
  const log = host.readText(LOG, MAX_LOG_BYTES)
  const found = log.status === 'found' ? newestUpgrade(log.value) : undefined
  return found ?? newestUpgrade(rotated(host))
}

function rotated(host: Host): string {
  const file = host.readFile(ROTATED, MAX_ROTATED_BYTES)
  if (file.status !== 'found') return ''
  try {
    return gunzipSync(file.value, { maxOutputLength: MAX_LOG_BYTES }).toString('latin1')
  } catch {
    // Damaged, or larger than any log: it tells nothing.
    return ''
  }
}

/** The last stanza that has both an `Upgrade:` and an `End-Date:`; apt writes local time, without saying which. */
export function newestUpgrade(log: string): number | undefined {
  let end = log.length
  for (;;) {
    const at = log.lastIndexOf('\nUpgrade: ', end)
    if (at < 0) return undefined
    const stanzaEnd = log.indexOf('\n\n', at)
    const stanza = log.slice(at, stanzaEnd < 0 ? log.length : stanzaEnd)
    const match = /\nEnd-Date: (\d{4})-(\d\d)-(\d\d) {1,2}(\d\d):(\d\d):(\d\d)/.exec(stanza)
    if (match !== null) {
      const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      return Math.floor(new Date(year, month - 1, day, hour, minute, second).getTime() / 1000)
    }
    if (at === 0) return undefined
    end = at - 1
  }
}
