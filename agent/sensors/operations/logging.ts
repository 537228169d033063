import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_TARGETS, type LogTarget, type OperationsContent } from '../../../shared/posture/sections/operations.ts'
import { runState, type ServiceNames } from '../services.ts'
import { printable } from '../text.ts'
import { redactAddress } from '../update-channel/address.ts'
import { shellVariable, wordsOf, type Configuration } from './configuration.ts'
import { readRsyslog } from './rsyslog.ts'
import { readSyslogNg } from './syslog-ng.ts'
import { parseUci } from './uci.ts'

type Logging = OperationsContent['logging']
type Journal = Extract<Logging['journal'], { value: unknown }>['value']

const SERVICES: Readonly<Record<string, ServiceNames>> = {
  rsyslog: { systemd: ['rsyslog'], scripts: ['rsyslog', 'rsyslogd'] },
  'syslog-ng': { systemd: ['syslog-ng'], scripts: ['syslog-ng'] },
  'journal-upload': { systemd: ['systemd-journal-upload'] },
  syslogd: {
    systemd: ['busybox-syslog', 'syslogd'],
    scripts: ['syslog', 'syslogd', 'busybox-syslog', 'syslog.busybox'],
  },
  logd: { scripts: ['log'] },
}

export const LOGGING_READS =
  '/etc/rsyslog.conf, /etc/rsyslog.d and what they include, /etc/syslog-ng, /etc/systemd/journal-upload.conf and ' +
  'journald.conf with drop-ins, /etc/conf.d/syslog, /etc/syslog-startup.conf, /etc/config/system'

const target = (service: string, address: string, protocol: string, tls: LogTarget['tls'] = 'off'): LogTarget => ({
  service,
  address: redactAddress(address),
  protocol: printable(protocol, 128),
  tls,
  selector: '',
})

/** journal-upload.conf(5) */
function readJournalUpload(files: Configuration): readonly LogTarget[] {
  const url = files.systemd('journal-upload.conf', 'Upload')?.get('URL')
  if (url === undefined || url === '') return []
  return [target('journal-upload', url, 'http', url.startsWith('http://') ? 'off' : 'on')]
}

/** BusyBox: options as Alpine keeps them, and the variables of Yocto's and Buildroot's /etc/syslog-startup.conf. */
function readBusyBox(files: Configuration): readonly LogTarget[] {
  const words = wordsOf(shellVariable(files.find('/etc/conf.d/syslog') ?? '', 'SYSLOGD_OPTS') ?? '')
  const given = words.flatMap((word, index) =>
    word === '-R' ? words.slice(index + 1, index + 2) : /^-R./.test(word) ? [word.slice(2)] : [],
  )
  const startup = files.find('/etc/syslog-startup.conf') ?? ''
  const isRemote = shellVariable(startup, 'DESTINATION')?.includes('remote') === true
  const remote = isRemote ? shellVariable(startup, 'REMOTE') : undefined
  return [...given, ...(remote === undefined || remote === '' ? [] : [remote])].map((address) =>
    target('syslogd', address, 'udp'),
  )
}

/** OpenWrt: `option log_ip`, `log_port` and `log_proto` of the section `system`. */
function readLogd(files: Configuration): readonly LogTarget[] {
  return parseUci(files.find('/etc/config/system') ?? '').flatMap(({ type, values }) => {
    const last = (name: string): string => values.get(name)?.at(-1) ?? ''
    const host = last('log_ip')
    if (type !== 'system' || host === '' || host === '0.0.0.0') return []
    return [target('logd', `${host}:${last('log_port') || '514'}`, last('log_proto') || 'udp')]
  })
}

const isYes = (value: string | undefined): boolean => /^(?:1|yes|y|true|t|on)$/i.test(value ?? '')

/** journald.conf(5): `auto`, the default, keeps it where /var/log/journal is there. */
function readJournal(files: Configuration): Observation<Journal> {
  const { host } = files
  const values = files.systemd('journald.conf', 'Journal')
  if (values === undefined && host.stat('/run/systemd/journal').status === 'absent') return { missing: 'absent' }
  return {
    value: {
      storage: storageOf(values?.get('Storage')?.toLowerCase() ?? '', host.stat('/var/log/journal').status),
      forwardToSyslog: isYes(values?.get('ForwardToSyslog')),
    },
  }
}

function storageOf(storage: string, directory: string): Journal['storage'] {
  if (storage === 'persistent' || storage === 'volatile' || storage === 'none') return storage
  if (storage !== '' && storage !== 'auto') return 'unknown'
  if (directory === 'found') return 'persistent'
  return directory === 'absent' ? 'volatile' : 'unknown'
}

export function readLogging(files: Configuration): Logging {
  const targets = [
    ...readRsyslog(files),
    ...readSyslogNg(files),
    ...readJournalUpload(files),
    ...readBusyBox(files),
    ...readLogd(files),
  ]
  return {
    services: Object.entries(SERVICES).flatMap(([service, names]) => {
      const state = runState(files.host, names)
      return state === 'absent' ? [] : [{ service, state }]
    }),
    targets: files.bounded(targets, MAX_TARGETS),
    journal: readJournal(files),
  }
}
