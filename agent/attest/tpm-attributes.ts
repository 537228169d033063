import { accessSync, constants } from 'node:fs'
import type { HostOptions, HostResult } from '../sensors/host.ts'
import { readTpmAttributes, type TpmAttributes } from '../tpm/commands/attributes.ts'
import { openTpm, type TransportChoice } from '../tpm/open.ts'
import { deviceFileOf } from '../tpm/tcti.ts'

/**
 * How the sensor asks the TPM. It is opened for this alone, before the claims are made: the quote is over the claims, so
 * it has to come later. Undefined, for a machine or an identity without a TPM, means that there is none to ask.
 */
export function attributesAt(tcti: string | undefined, transport: TransportChoice = 'auto'): HostOptions['tpm'] {
  return tcti === undefined ? undefined : () => readAt(tcti, transport)
}

async function readAt(tcti: string, transport: TransportChoice): Promise<HostResult<TpmAttributes>> {
  const device = deviceFileOf(tcti)
  if (device !== undefined && isForbidden(device)) return { status: 'no-permission' }
  const tpm = await openTpm(tcti, { transport })
  try {
    return { status: 'found', value: await readTpmAttributes(tpm) }
  } finally {
    await tpm.close()
  }
}

/** The TSS tells of nothing but a failed connection. */
function isForbidden(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}
