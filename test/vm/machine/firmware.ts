import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

const OVMF = '/usr/share/OVMF'

/** The code is one and the same: Secure Boot is off where no keys are enrolled. */
export const FIRMWARE_CODE = `${OVMF}/OVMF_CODE_4M.secboot.fd`

const VARIABLES = { on: `${OVMF}/OVMF_VARS_4M.snakeoil.fd`, off: `${OVMF}/OVMF_VARS_4M.fd` } as const

/** Variables of its own for a machine, which keeps them from boot to boot. */
export function firmwareVariables(directory: string, secureBoot: keyof typeof VARIABLES): string {
  const file = join(directory, `variables-${secureBoot}.fd`)
  copyFileSync(VARIABLES[secureBoot], file)
  return file
}
