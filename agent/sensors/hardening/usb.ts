import type { Observation } from '../../../shared/posture/observation.ts'
import type { HardeningContent } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'
import { serviceState } from '../update-channel/systemd-units.ts'

const BUSES = '/sys/bus/usb/devices'
/** modprobe.d(5); the first of each name counts. */
const MODPROBE = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d',
]
const MAX_BYTES = 256 * 1024

export const USB_READS = `${BUSES}/usb*/authorized_default, modprobe.d, the unit usbguard.service`

/** Root hubs are named usb1, usb2 and so on: how many there are differs between machines, not what they say. */
function readAuthorizedDefault(host: Host): HardeningContent['usb']['authorizedDefault'] {
  return observed(host.readDirectory(BUSES, 4096), (names) => {
    const values = new Set<string>()
    for (const name of names) {
      if (!/^usb\d+$/.test(name)) continue
      const value = host.readText(`${BUSES}/${name}/authorized_default`, 64)
      if (value.status === 'found') values.add(printable(value.value.trim(), 128))
      else if (value.status !== 'absent') return { missing: value.status }
    }
    return values.size > 8 ? { missing: 'too-large' } : { value: [...values] }
  })
}

/** `blacklist` keeps it from being loaded by what is plugged in, `install` with a program that does nothing altogether. */
const BLOCKS = /^[ \t]*(?:blacklist[ \t]+usb[-_]storage|install[ \t]+usb[-_]storage[ \t]+\/\S*\/(?:false|true))[ \t]*$/m

function readStorage(host: Host): Observation<'blocked' | 'allowed'> {
  const files = new Map<string, string>()
  for (const directory of MODPROBE) {
    const names = host.readDirectory(directory, 1024)
    if (names.status !== 'found' && names.status !== 'absent') return { missing: names.status }
    for (const name of names.status === 'found' ? names.value : []) {
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${directory}/${name}`)
    }
  }
  for (const path of files.values()) {
    const file = host.readText(path, MAX_BYTES)
    if (file.status === 'found' && BLOCKS.test(file.value)) return { value: 'blocked' }
    if (file.status !== 'found' && file.status !== 'absent') return { missing: file.status }
  }
  return { value: 'allowed' }
}

export const readUsb = (host: Host): HardeningContent['usb'] => ({
  authorizedDefault: readAuthorizedDefault(host),
  usbguard: serviceState(host, 'usbguard.service'),
  storage: readStorage(host),
})
