import type { Host } from '../host.ts'
import type { StateScalar } from '../sensor.ts'

/** systemd-timesyncd.service(8) touches the first at each synchronisation, and the second about as often. */
const TIMESYNC = '/run/systemd/timesync'
const SYNCHRONISED = '/run/systemd/timesync/synchronized'
const CLOCK_FILE = '/var/lib/systemd/timesync/clock'
/** chrony.conf(5), driftfile, written about once an hour while it is synchronised; and ntp's. */
const DRIFT_FILES = [
  '/var/lib/chrony/drift',
  '/var/lib/chrony/chrony.drift',
  '/var/lib/ntp/ntp.drift',
  '/var/lib/ntpsec/ntp.drift',
] as const
/** Seconds since 1970 by the hardware clock, taken to be in UTC. */
const RTC = '/sys/class/rtc/rtc0/since_epoch'

export const CLOCK_READS = `times of ${SYNCHRONISED}, ${CLOCK_FILE} and ${DRIFT_FILES.join(', ')}; ${RTC}`

/** How well the clock is kept, which differs from moment to moment. Nothing is said of what is not there. */
export function clockState(host: Host): Readonly<Record<string, StateScalar>> {
  const timesync = host.stat(TIMESYNC)
  const times = [SYNCHRONISED, CLOCK_FILE, ...DRIFT_FILES].flatMap((path) => {
    const stat = host.stat(path)
    return stat.status === 'found' ? [stat.value.modified] : []
  })
  const rtc = host.readText(RTC, 64)
  const difference =
    rtc.status === 'found' && /^\d{1,12}\n?$/.test(rtc.value) ? Number(rtc.value) - host.now() : undefined
  return {
    ...(timesync.status === 'found'
      ? { 'operations.clock-synchronised': host.stat(SYNCHRONISED).status === 'found' }
      : {}),
    ...(times.length === 0 ? {} : { 'operations.clock-sync-age': host.now() - Math.max(...times) }),
    ...(difference === undefined ? {} : { 'operations.rtc-difference': difference }),
  }
}
