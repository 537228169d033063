import type { ChannelSetting, UpdateChannel } from '../../../shared/posture/sections/update-channel.ts'
import type { Host } from '../host.ts'
import { setting } from '../update-channel/manager.ts'
import { serviceState, timerSchedule, unitSetting, unitState, type UnitState } from '../update-channel/systemd-units.ts'
import type { AptSettings } from './configuration.ts'

const TOOL = '/usr/bin/unattended-upgrade'
const CHECK_TIMER = 'apt-daily.timer'
const INSTALL_TIMER = 'apt-daily-upgrade.timer'
const SERVICE = 'unattended-upgrades.service'
/** What runs apt's daily script where no systemd does. */
const CRON_JOB = '/etc/cron.daily/apt-compat'

/** Their defaults, in the script apt.systemd.daily: nothing is done that is not switched on. */
const PERIODIC: Readonly<Record<string, string>> = {
  Enable: '1',
  'Update-Package-Lists': '0',
  'Download-Upgradeable-Packages': '0',
  'Unattended-Upgrade': '0',
}

const isOn = (value: string): boolean => !/^\s*0*[smhd]?\s*$/.test(value)

/**
 * Whether this system installs updates by itself: APT::Periodic::* asks for it, the two timers (or cron) run apt's
 * daily script, and that runs unattended-upgrade, if it is installed.
 */
export function automaticUpdates(host: Host, settings: AptSettings): UpdateChannel['automatic'] {
  const periodic = new Map<string, string>()
  for (const [name, initial] of Object.entries(PERIODIC)) {
    periodic.set(name, settings.get(`apt::periodic::${name.toLowerCase()}`) ?? initial)
  }
  const isSet = (name: string): boolean => isOn(periodic.get(name) ?? '0')
  const timers = { [CHECK_TIMER]: unitState(host, CHECK_TIMER), [INSTALL_TIMER]: unitState(host, INSTALL_TIMER) }
  const service = serviceState(host, SERVICE)
  const hasTool = host.stat(TOOL).status === 'found'
  const hasCron = host.stat(CRON_JOB).status === 'found'
  const runs = (state: UnitState): boolean => state === 'enabled' || (state === 'absent' && hasCron)

  const installs = isSet('Enable') && isSet('Unattended-Upgrade') && hasTool && runs(timers[INSTALL_TIMER])
  const isWhole = isSet('Update-Package-Lists') && runs(timers[CHECK_TIMER]) && ['enabled', 'absent'].includes(service)
  const isUnknown = [...Object.values(timers), service].includes('unknown')
  return {
    state: isUnknown ? 'unknown' : !installs ? 'off' : isWhole ? 'on' : 'partial',
    settings: [
      setting('unattended-upgrade', hasTool ? 'installed' : 'absent'),
      ...[...periodic].map(([name, value]) => setting(`APT::Periodic::${name}`, value)),
      ...Object.entries(timers).map(([unit, state]) => unitSetting(unit, state)),
      unitSetting(SERVICE, service),
      ...Object.keys(timers).flatMap((unit) => timerSchedule(host, unit)),
      ...origins(settings),
    ],
  }
}

/** What unattended-upgrade takes, as they are written. */
function origins(settings: AptSettings): ChannelSetting[] {
  return [...settings]
    .filter(([name]) => name.startsWith('unattended-upgrade::'))
    .map(([name, value]) => setting(name.includes('::origins-pattern::') ? 'origins pattern' : 'allowed origin', value))
}
