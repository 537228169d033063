import { gunzipSync } from 'node:zlib'
import type { Host } from '../host.ts'
import { Unchanged } from '../unchanged.ts'

const LOG = '/var/log/apt/history.log'
/** What logrotate makes of it each month. */
const ROTATED = `${LOG}.1.gz`
const MAX_LOG_BYTES = 8 * 1024 * 1024
const MAX_ROTATED_BYTES = 1024 * 1024

/** dpkg(1) writes one line a step, of whatever has called it. */
const DPKG_LOG = '/var/log/dpkg.log'
const DPKG_UPGRADE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d upgrade .*$/gm

const kept = new Unchanged<number | undefined>()

/** When a package was last upgraded, in seconds since 1970, by the logs that apt and dpkg write. */
export function lastUpgrade(host: Host): number | undefined {
  return kept.get(host, [LOG, ROTATED, DPKG_LOG], () => {
    const byApt = newestUpgrade(textOf(host, LOG)) ?? newestUpgrade(rotated(host))
    const byDpkg = newestDpkgUpgrade(textOf(host, DPKG_LOG))
    return byApt === undefined || byDpkg === undefined ? (byApt ?? byDpkg) : Math.max(byApt, byDpkg)
  })
}

function textOf(host: Host, path: string): string {
  const log = host.readText(path, MAX_LOG_BYTES)
  return log.status === 'found' ? log.value : ''
}

/** The last step of all that is an upgrade. */
function newestDpkgUpgrade(log: string): number | undefined {
  const line = log.match(DPKG_UPGRADE)?.at(-1)
  return line === undefined ? undefined : localTime(line)
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
    const ended = /\nEnd-Date: (.*)/.exec(stanza)?.[1]
    const time = ended === undefined ? undefined : localTime(ended)
    if (time !== undefined) return time
    if (at === 0) return undefined
    end = at - 1
  }
}

/** Both logs have local time, without saying which zone's. */
function localTime(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d) {1,2}(\d\d):(\d\d):(\d\d)/.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  return Math.floor(new Date(year, month - 1, day, hour, minute, second).getTime() / 1000)
}
