import {
  MAX_SERVERS,
  type OperationsContent,
  type ServiceState,
  type TimeServer,
} from '../../../shared/posture/sections/operations.ts'
import { runState, type RunState, type ServiceNames } from '../services.ts'
import { redactAddress } from '../update-channel/address.ts'
import { readChrony } from './chrony.ts'
import { linesOf, shellVariable, wordsOf, type Configuration } from './configuration.ts'
import { parseUci } from './uci.ts'

type Time = OperationsContent['time']

/** What keeps the clock, by the names under which it is started. `ntpd` of a script is ntp's, ntpsec's or BusyBox's. */
const SERVICES: Readonly<Record<string, ServiceNames>> = {
  chrony: { systemd: ['chrony', 'chronyd'], scripts: ['chrony', 'chronyd'] },
  'systemd-timesyncd': { systemd: ['systemd-timesyncd'] },
  ntpd: { systemd: ['ntp', 'ntpd', 'ntpsec'], scripts: ['ntp', 'ntpd', 'ntpsec', 'busybox-ntpd'] },
  openntpd: { systemd: ['openntpd'], scripts: ['openntpd'] },
  sysntpd: { scripts: ['sysntpd'] },
}

export const TIME_SYNC_READS =
  '/etc/chrony, /etc/systemd/timesyncd.conf with drop-ins, /etc/ntp.conf, /etc/ntpsec, /etc/openntpd, /etc/ntpd.conf, ' +
  '/etc/conf.d/ntpd, /etc/config/system'

export const server = (service: string, kind: TimeServer['kind'], address: string, nts = false): TimeServer => ({
  service,
  kind,
  address: redactAddress(address),
  nts,
})

/** timesyncd.conf(5). An empty value takes what stands before it back, which the last value of each name does too. */
function readTimesyncd(files: Configuration): readonly TimeServer[] {
  const values = files.systemd('timesyncd.conf', 'Time')
  const named = (key: string, kind: TimeServer['kind']) =>
    wordsOf(values?.get(key) ?? '').map((address) => server('systemd-timesyncd', kind, address))
  return [...named('NTP', 'server'), ...named('FallbackNTP', 'fallback')]
}

const NTP_FILES = ['/etc/ntp.conf', '/etc/ntpsec/ntp.conf'] as const
const NTP_KINDS: Readonly<Record<string, TimeServer['kind']>> = { server: 'server', pool: 'pool', peer: 'peer' }

/** ntp.conf(5): a reference clock is a server with an address of 127.127. */
export function parseNtpConf(text: string): readonly TimeServer[] {
  return linesOf(text, /^#/).flatMap((line) => {
    const [keyword = '', ...words] = wordsOf(line.replace(/#.*$/, ''))
    const kind = Object.hasOwn(NTP_KINDS, keyword) ? NTP_KINDS[keyword] : undefined
    const address = words.find((word) => !/^-[46]$/.test(word))
    if (kind === undefined || address === undefined) return []
    const isClock = address.startsWith('127.127.')
    return [server('ntpd', isClock ? 'reference-clock' : kind, address, words.includes('nts'))]
  })
}

const OPENNTPD_FILES = ['/etc/openntpd/ntpd.conf', '/etc/ntpd.conf'] as const
const OPENNTPD_KINDS: Readonly<Record<string, TimeServer['kind']>> = {
  server: 'server',
  servers: 'pool',
  sensor: 'sensor',
}

/** ntpd.conf(5) of OpenNTPD. A constraint is an HTTPS server whose date bounds what the others may say. */
export function parseOpenNtpd(text: string): readonly TimeServer[] {
  return linesOf(text, /^#/).flatMap((line) => {
    const [keyword = '', first, second] = wordsOf(line.replace(/#.*$/, ''))
    if (/^constraints?$/.test(keyword) && first === 'from' && second !== undefined) {
      return [server('openntpd', 'constraint', second)]
    }
    const kind = Object.hasOwn(OPENNTPD_KINDS, keyword) ? OPENNTPD_KINDS[keyword] : undefined
    return kind === undefined || first === undefined ? [] : [server('openntpd', kind, first)]
  })
}

/** Alpine gives BusyBox its servers as options: `NTPD_OPTS="-N -p pool.ntp.org"`. */
export function parseNtpdOptions(text: string): readonly TimeServer[] {
  const words = wordsOf(shellVariable(text, 'NTPD_OPTS') ?? '')
  return words.flatMap((word, index) => {
    if (/^-[a-zA-Z]*p$/.test(word))
      return words.slice(index + 1, index + 2).map((address) => server('ntpd', 'server', address))
    return /^-p./.test(word) ? [server('ntpd', 'server', word.slice(2))] : []
  })
}

interface UciTime {
  readonly servers: readonly TimeServer[]
  readonly enabled: boolean
}

/** `config timeserver 'ntp'`: OpenWrt's script does nothing where it is not enabled, which by itself it is. */
function readUci(files: Configuration): UciTime | undefined {
  const text = files.find('/etc/config/system')
  if (text === undefined) return undefined
  const section = parseUci(text).find(({ type, name }) => type === 'timeserver' && name === 'ntp')
  if (section === undefined) return { servers: [], enabled: false }
  const servers = (section.values.get('server') ?? []).map((address) => server('sysntpd', 'server', address))
  return { servers, enabled: !/^(?:0|off|false|no|disabled)$/.test(section.values.get('enabled')?.at(-1) ?? '1') }
}

function stateOf(service: string, state: RunState, uci: UciTime | undefined): readonly ServiceState[] {
  if (state === 'absent') return []
  const isOff = service === 'sysntpd' && state === 'on' && uci?.enabled === false
  return [{ service, state: isOff ? 'off' : state }]
}

export function readTimeSync(files: Configuration): Time {
  const uci = readUci(files)
  const each = (paths: readonly string[], parse: (text: string) => readonly TimeServer[]) =>
    paths.flatMap((path) => parse(files.find(path) ?? ''))
  const servers = [
    ...readChrony(files),
    ...readTimesyncd(files),
    ...each(NTP_FILES, parseNtpConf),
    ...each(OPENNTPD_FILES, parseOpenNtpd),
    ...each(['/etc/conf.d/ntpd'], parseNtpdOptions),
    ...(uci?.servers ?? []),
  ]
  return {
    services: Object.entries(SERVICES).flatMap(([service, names]) =>
      stateOf(service, runState(files.host, names), uci),
    ),
    servers: files.bounded(servers, MAX_SERVERS),
  }
}
