import type { UpdateChannel } from '../../shared/posture/sections/update-channel.ts'
import type { Host } from './host.ts'
import { SensorFailure, type Reading, type Sensor, type StateScalar } from './sensor.ts'
import { apk } from './update-channel/apk.ts'
import { apt } from './update-channel/apt.ts'
import { dnf } from './update-channel/dnf.ts'
import { hawkbit } from './update-channel/hawkbit.ts'
import { firstKeyExpiry } from './update-channel/key-expiry.ts'
import { bounded, type Manager, type ManagerReading } from './update-channel/manager.ts'
import { mender } from './update-channel/mender.ts'
import { opkg } from './update-channel/opkg.ts'
import { ostree } from './update-channel/ostree.ts'
import { rauc } from './update-channel/rauc.ts'
import { swupdate } from './update-channel/swupdate.ts'

export const UPDATE_MANAGERS: readonly Manager[] = [apt, dnf, apk, opkg, rauc, swupdate, mender, ostree, hawkbit]

/** A manager that is there and whose configuration cannot be read at all: nothing of it is known. */
function unreadable(manager: Manager, failure: SensorFailure): UpdateChannel {
  return {
    manager: manager.id,
    signatures: 'unknown',
    sources: [],
    keyrings: [],
    settings: [],
    automatic: { state: 'unknown', settings: [] },
    malformed: 0,
    unreadable: [failure.reading.detail],
    truncated: false,
  }
}

/** Ages in seconds, negative where the time lies in the future. Of several managers the one that lags behind most. */
function stateOf(
  host: Host,
  readings: readonly ManagerReading[],
  channels: readonly UpdateChannel[],
): Record<string, StateScalar> {
  const state: Record<string, StateScalar> = {}
  const [oldest] = readings.flatMap(({ lastCheck }) => lastCheck ?? []).sort((a, b) => a.at - b.at)
  if (oldest !== undefined) {
    state['update-channel.last-check-age'] = host.now() - oldest.at
    state['update-channel.last-check-source'] = oldest.source
  }
  const installs = readings.flatMap(({ lastInstall }) => lastInstall ?? [])
  if (installs.length > 0) state['update-channel.last-install-age'] = host.now() - Math.max(...installs)
  const expiry = firstKeyExpiry(channels)
  if (expiry !== undefined) state['update-channel.key-expiry'] = expiry
  return state
}

function measure(host: Host): Reading<'update-channel'> {
  const channels: UpdateChannel[] = []
  const readings: ManagerReading[] = []
  let failure: SensorFailure | undefined
  for (const manager of UPDATE_MANAGERS) {
    try {
      const reading = manager.measure(host)
      if (reading === undefined) continue
      readings.push(reading)
      channels.push(bounded(manager.id, reading))
    } catch (error) {
      if (!(error instanceof SensorFailure)) throw error
      failure ??= error
      channels.push(unreadable(manager, error))
    }
  }
  if (readings.length === 0 && failure !== undefined) throw failure
  if (channels.length === 0) return { status: 'not-supported', reason: 'no-update-manager' }
  return { status: 'measured', content: { channels }, state: stateOf(host, readings, channels) }
}

export const updateChannelSensor: Sensor<'update-channel'> = {
  id: 'update-channel',
  title: 'where updates come from, whose signature they need, and whether they are installed by themselves',
  section: 'update-channel',
  reads:
    '/etc/apt, /etc/yum.repos.d, /etc/dnf, /etc/apk, /etc/opkg, /etc/rauc, /etc/swupdate, /etc/mender, /ostree/repo, ' +
    '/etc/rauc-hawkbit-updater, the keyrings that these name, units of systemd, times of downloaded lists and logs',
  needs: 'nothing beyond reading these files; configuration with mode 0600 is reported as unreadable',
  blindSpots:
    'options given on a command line or in the environment; files named by #include or @include; pinning; ' +
    'credentials; keys inside the rpm database; signatures of keys on themselves; a timer that is stopped without ' +
    'being disabled; checks that failed, which leave no trace; whether the servers behind the addresses are the ' +
    "vendor's",
  budget: { cpuMs: 40 },
  remedy: 'Make the configuration and the keyrings readable for all; for apt check the sources with `apt-get update`.',
  measure,
}
