import type { Missing } from '../../../shared/posture/observation.ts'
import type { HardeningContent, TerminalLogin } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'

type Kind = TerminalLogin['kind']

const INITTAB = '/etc/inittab'
const COMMAND_LINE = '/proc/cmdline'
const UNITS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/run/systemd/generator',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]
const WANTS = ['getty.target.wants', 'multi-user.target.wants', 'sysinit.target.wants']
const MAX_ENTRIES = 1024
const MAX_BYTES = 256 * 1024
const MAX_LOGINS = 32

export const LOGINS_READS = `${INITTAB}, ${COMMAND_LINE}, units of systemd for getty and debug-shell with their drop-ins`

const isVirtual = (terminal: string): boolean => /^(?:\/dev\/)?tty\d+$/.test(terminal)

/** Collects the terminals, or why they are not known. */
class Logins {
  readonly found = new Map<string, Kind>()
  missing: Missing | undefined

  /** Of several on one terminal the most open counts. */
  add(terminal: string, kind: Kind): void {
    const known = this.found.get(terminal)
    if (known === undefined || known === 'login') this.found.set(terminal, kind)
  }

  hide(status: Missing | 'found'): void {
    if (status !== 'absent' && status !== 'found') this.missing ??= status
  }
}

/** agetty(8), --autologin; login(1), -f. */
const AUTOMATIC = /\s(?:--autologin|-a)[\s=]|login\s+-f\s/
const SHELL = /(?:^|\/)(?:ba|da|a|k|z)?sh(?:\s|$)/
const GETTY = /getty|login/

function kindOf(command: string): Kind {
  if (AUTOMATIC.test(command)) return 'automatic'
  return SHELL.test(command) && !GETTY.test(command) ? 'shell' : 'login'
}

/**
 * Terminals are byte strings here. inittab of BusyBox and OpenWrt, whose first field is the terminal, and of SysV init, whose getty names it:
 * `ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100`, `::askfirst:/usr/libexec/login.sh`. OpenWrt's login.sh asks for a
 * password only where one is set: it counts as a login.
 */
export function parseInittab(text: string): readonly TerminalLogin[] {
  const logins = new Logins()
  for (const line of text.split('\n')) {
    if (line.trimStart().startsWith('#')) continue
    const [id = '', , action = '', ...rest] = line.split(':')
    const command = rest.join(':').trim()
    if (!/^(?:respawn|askfirst|respawnlate|askconsole|askconsolelate)$/.test(action.trim())) continue
    if (!SHELL.test(command) && !GETTY.test(command)) continue
    const named = /\b(?:tty[A-Z][\w-]*|hvc\d+|console)\b/.exec(command)?.[0]
    const terminal = named ?? (/^(?:tty|hvc|console)/.test(id) ? id.trim() : 'console')
    if (!isVirtual(terminal) && !/\btty\d+\b/.test(command)) logins.add(terminal, kindOf(command))
  }
  return [...logins.found].map(([terminal, kind]) => ({ terminal, kind }))
}

/** The terminals of instances such as serial-getty@ttyS0.service, by the links that start them. */
function addUnits(host: Host, logins: Logins): void {
  for (const directory of UNITS) {
    for (const wants of WANTS) {
      const names = host.readDirectory(`${directory}/${wants}`, MAX_ENTRIES)
      logins.hide(names.status)
      for (const name of names.status === 'found' ? names.value : []) {
        const terminal = /^[\w-]*getty@(.+)\.service$/.exec(name)?.[1]
        if (terminal !== undefined && !isVirtual(terminal)) logins.add(terminal, kindOfUnit(host, name, logins))
        if (name === 'debug-shell.service') logins.add('debug-shell', 'shell')
      }
    }
  }
}

/** A drop-in of the instance or of its template can log somebody in without asking. */
function kindOfUnit(host: Host, unit: string, logins: Logins): Kind {
  const template = unit.replace(/@.*\./, '@.')
  for (const directory of UNITS) {
    for (const name of [unit, template]) {
      const parts = host.readDirectory(`${directory}/${name}.d`, MAX_ENTRIES)
      logins.hide(parts.status)
      for (const part of parts.status === 'found' ? parts.value : []) {
        if (part.endsWith('.conf') && isAutomatic(host, `${directory}/${name}.d/${part}`, logins)) return 'automatic'
      }
      if (isAutomatic(host, `${directory}/${name}`, logins)) return 'automatic'
    }
  }
  return 'login'
}

function isAutomatic(host: Host, path: string, logins: Logins): boolean {
  const file = host.readText(path, MAX_BYTES)
  if (file.status !== 'found') logins.hide(file.status)
  const commands = file.status === 'found' ? file.value.match(/^[ \t]*ExecStart=.*$/gm) : null
  return commands?.some((command) => AUTOMATIC.test(command)) === true
}

/** systemd-getty-generator(8) starts one on each serial console; systemd.debug_shell opens another, with no password. */
function addCommandLine(host: Host, logins: Logins): void {
  if (host.stat('/run/systemd/system').status !== 'found') return
  const file = host.readText(COMMAND_LINE, MAX_BYTES)
  if (file.status !== 'found') return logins.hide(file.status)
  if (/(?:^|\s)systemd\.debug[-_]shell(?:=(?:1|yes|true|on|tty\S*))?(?:\s|$)/.test(file.value)) {
    logins.add('debug-shell', 'shell')
  }
}

export function readLogins(host: Host): HardeningContent['debug']['logins'] {
  const logins = new Logins()
  const inittab = host.readText(INITTAB, MAX_BYTES)
  logins.hide(inittab.status)
  // systemd does not read it.
  const isSystemd = host.stat('/run/systemd/system').status === 'found'
  for (const { terminal, kind } of inittab.status === 'found' && !isSystemd ? parseInittab(inittab.value) : []) {
    logins.add(terminal, kind)
  }
  addUnits(host, logins)
  addCommandLine(host, logins)
  if (logins.missing !== undefined) return { missing: logins.missing }
  if (logins.found.size > MAX_LOGINS) return { missing: 'too-large' }
  return { value: [...logins.found].map(([terminal, kind]) => ({ terminal: printable(terminal, 128), kind })) }
}
