import type { Observation } from '../../../shared/posture/observation.ts'
import type { HardeningContent } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import { readLogins } from './logins.ts'
import type { MountTable } from './mounts.ts'

type Debug = HardeningContent['debug']

const CONSOLES = '/sys/class/tty/console/active'
const DEBUGGER = '/sys/module/kgdboc/parameters/kgdboc'
const MEMORY = '/dev/mem'
const RELEASE = '/proc/sys/kernel/osrelease'
const MAX_CONFIG_BYTES = 1024 * 1024

export const DEBUG_READS = [CONSOLES, DEBUGGER, `/boot/config-RELEASE`, MEMORY].join(', ')

/** Virtual terminals, of a screen and keyboard, are on every machine. */
const isVirtual = (terminal: string): boolean => /^tty\d*$/.test(terminal)

function readConsoles(host: Host): Debug['consoles'] {
  return observed(host.readText(CONSOLES, 1024), (text) => {
    const all = text.split(/\s+/).filter((terminal) => terminal !== '' && !isVirtual(terminal))
    return all.length > 16 ? { missing: 'too-large' } : { value: all.map((terminal) => printable(terminal, 128)) }
  })
}

/** No parameter: not built in, or a module that is not loaded. */
function readDebugger(host: Host): Observation<boolean> {
  const file = host.readText(DEBUGGER, 1024)
  return file.status === 'absent' ? { value: false } : observed(file, (text) => ({ value: text.trim() !== '' }))
}

const strict = new Unchanged<Observation<'restricted' | 'open'>>()

/** The kernel keeps memory from /dev/mem where it was built so; its configuration is installed beside it, as by Debian. */
function readMemoryDevice(host: Host): Debug['memoryDevice'] {
  const { status } = host.stat(MEMORY)
  if (status === 'absent') return { value: 'none' }
  return observed(host.readText(RELEASE, 256), (release) => {
    const path = `/boot/config-${release.trim()}`
    return strict.get(host, [path, RELEASE], () =>
      observed(host.readText(path, MAX_CONFIG_BYTES), (text) => ({
        value: /^CONFIG_STRICT_DEVMEM=y$/m.test(text) ? 'restricted' : 'open',
      })),
    )
  })
}

const mountsDebugFileSystem = (mounts: Observation<MountTable>): Observation<boolean> =>
  'missing' in mounts ? mounts : { value: [...mounts.value.mounts.values()].some(({ type }) => type === 'debugfs') }

export const readDebugPorts = (host: Host, mounts: Observation<MountTable>): Debug => ({
  consoles: readConsoles(host),
  logins: readLogins(host),
  debugFileSystem: mountsDebugFileSystem(mounts),
  kernelDebugger: readDebugger(host),
  memoryDevice: readMemoryDevice(host),
})
