import type { HardeningContent } from '../../shared/posture/sections/hardening.ts'
import { DEBUG_READS, readDebugPorts } from './hardening/debug-ports.ts'
import { readKernelSettings } from './hardening/kernel-settings.ts'
import { LOGINS_READS } from './hardening/logins.ts'
import { MANDATORY_ACCESS_READS, readMandatoryAccess } from './hardening/mandatory-access.ts'
import { MEMORY_READS, readMemory } from './hardening/memory.ts'
import { protectedMounts, readMounts } from './hardening/mounts.ts'
import { MAX_DIRECTORIES, MAX_FILES, OTHER_DIRECTORIES, PATH_DIRECTORIES, readPrograms } from './hardening/programs.ts'
import { DATA_ENDINGS } from './hardening/program-directories.ts'
import { readUnconfined } from './hardening/unconfined.ts'
import { readUsb, USB_READS } from './hardening/usb.ts'
import type { Host } from './host.ts'
import type { Reading, Sensor } from './sensor.ts'

/** Whether it is loaded depends on what was plugged in: it is state. */
const USB_STORAGE = '/sys/module/usb_storage'

/** Nothing of what a Linux system shows is there. */
function isEmpty({ mac, mounts, settings, programs }: HardeningContent): boolean {
  const isAbsent = (one: object): boolean => 'missing' in one && one.missing === 'absent'
  const all = [mounts, ...Object.values(mac), ...settings.map(({ value }) => value)]
  const { setId, writable, unread, limited } = programs
  return all.every(isAbsent) && !limited && setId.length + writable.length + unread.length === 0
}

function measure(host: Host): Reading<'hardening'> {
  const mounts = readMounts(host)
  const mac = readMandatoryAccess(host)
  const content: HardeningContent = {
    mac,
    unconfined: readUnconfined(host, mac),
    mounts: protectedMounts(mounts),
    ...readMemory(host),
    settings: readKernelSettings(host),
    programs: readPrograms(host, mounts),
    usb: readUsb(host),
    debug: readDebugPorts(host, mounts),
  }
  if (isEmpty(content)) return { status: 'not-supported', reason: 'no-platform-facts' }
  return {
    status: 'measured',
    content,
    state: host.stat(USB_STORAGE).status === 'found' ? { 'hardening.usb-storage-loaded': true } : {},
  }
}

const below = OTHER_DIRECTORIES.map(([path, depth]) => `${path} (${depth})`).join(' ')

export const hardeningSensor: Sensor<'hardening'> = {
  id: 'hardening',
  title: 'mandatory access control, mounts, kernel settings, set-id and writable programs, USB, debug ports',
  section: 'hardening',
  reads: [
    MANDATORY_ACCESS_READS,
    '/proc/1/mountinfo or else /proc/self/mountinfo',
    MEMORY_READS,
    '/proc/sys',
    USB_READS,
    DEBUG_READS,
    LOGINS_READS,
    '/proc/net/{tcp,udp} of both families and /proc/PID/{attr,fd,exe}, where a module can confine',
    `the modes and owners of files in ${PATH_DIRECTORIES.join(' ')}, and so many levels below ${below}`,
  ].join(', '),
  needs:
    'for the profiles of AppArmor and settings that only root may read: root; for the programs that listen ' +
    'unconfined: CAP_SYS_PTRACE. The rest: nothing beyond reading these files',
  blindSpots: [
    'set-id programs elsewhere, deeper, on other file systems mounted below, or there with a name that ends as data does ' +
      `(${DATA_ENDINGS.map((ending) => `.${ending}`).join(' ')})`,
    `more than ${MAX_DIRECTORIES} directories or ${MAX_FILES} files, which is said`,
    'what a program contains; file capabilities; access control lists',
    'a mode that is changed in place, until an hour has passed',
    'booleans and permissive domains of SELinux, and which profile belongs to which program',
    'mounts at other points, and as containers see them; swap in a file counts as such on an encrypted file system too',
    'settings of single network interfaces; JTAG, and consoles of the firmware and boot loader',
    'gettys that systemd starts by itself, where /run/systemd/generator cannot be seen',
  ].join('; '),
  budget: { cpuMs: 60 },
  remedy:
    'Mount /sys/kernel/security, and make /proc visible for the service (no ProtectProc=, no ProcSubset=pid); let ' +
    'keepseal-measure look at what only root sees.',
  privileged: true,
  measure,
}
