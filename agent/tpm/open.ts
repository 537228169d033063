import { KeepsealError } from '../../shared/errors.ts'
import { TpmCommandError } from './command-error.ts'
import { openDeviceFile } from './device/device-file.ts'
import { DeviceTpm } from './device/device-tpm.ts'
import { loadLibraries, type TssLibraries } from './library.ts'
import { openEsysTpm, TCTI_LOADER } from './open-esys.ts'
import { deviceFileOf } from './tcti.ts'
import type { Tpm, TpmTransport } from './tpm.ts'

/** As `tpm.transport` has it: `auto` is tpm2-tss where it is installed, and the device file where it is not. */
export type TransportChoice = TpmTransport | 'auto'

export interface TpmOptions {
  /** Upper bound of every command, in milliseconds; each has its own smaller or equal one (see ESAPI). */
  readonly boundMs?: number
  /** Default `auto`. */
  readonly transport?: TransportChoice
}

/**
 * Opens the TPM at a TCTI configuration such as `device:/dev/tpmrm0` (see ./tcti.ts). To be closed after each
 * measurement: others use the TPM too.
 * Throws KeepsealError `tpm.unavailable` or `tpm.library-missing`.
 */
export function openTpm(tcti: string, options: TpmOptions = {}): Promise<Tpm> {
  return openTpmWith(loadLibraries, tcti, options)
}

/** `openTpm` with a choice of libraries. */
export async function openTpmWith(
  load: () => Promise<TssLibraries>,
  tcti: string,
  { boundMs = Number.POSITIVE_INFINITY, transport = 'auto' }: TpmOptions = {},
): Promise<Tpm> {
  const file = deviceFileOf(tcti)
  const openDevice = async (path: string): Promise<Tpm> => new DeviceTpm(await openDeviceFile(path), { boundMs })
  if (transport === 'device') {
    if (file !== undefined) return await openDevice(file)
    throw new KeepsealError('tpm.unavailable', `${tcti}: tpm.transport is device, and this is no device file`)
  }
  const libraries = await load().catch((error: unknown) => {
    const missing = error instanceof KeepsealError && error.code === 'tpm.library-missing'
    if (missing && transport === 'auto' && file !== undefined) return undefined
    throw error
  })
  // Without libraries there is a file: else the refusal of the libraries was thrown.
  if (libraries === undefined) return await openDevice(file ?? '')
  try {
    return await openEsysTpm(libraries, tcti, boundMs)
  } catch (error) {
    if (transport === 'auto' && file !== undefined && isLoaderFailure(error)) return await openDevice(file)
    throw error
  }
}

/** The library for device files is a package of its own, which may be absent where the others are installed. */
const isLoaderFailure = (error: unknown): boolean =>
  error instanceof KeepsealError && error.cause instanceof TpmCommandError && error.cause.command === TCTI_LOADER
