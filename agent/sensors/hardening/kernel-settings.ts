import { KERNEL_SETTINGS, type KernelSetting } from '../../../shared/posture/kernel-settings.ts'
import type { HardeningContent } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'

/** sysctl(8): the name is the path, with dots for slashes. */
const pathOf = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`

function shownValue(text: string, { zeroOnly }: KernelSetting): string {
  const value = text.replace(/\n$/, '').replaceAll('\t', ' ')
  return zeroOnly === true && value !== '0' ? 'not 0' : printable(value, 128)
}

export function readKernelSettings(host: Host): HardeningContent['settings'] {
  return KERNEL_SETTINGS.map((setting) => ({
    name: setting.name,
    value: observed(host.readText(pathOf(setting.name), 512), (text) => ({ value: shownValue(text, setting) })),
  }))
}
