import { existsSync } from 'node:fs'
import type { TpmTransport } from './tpm.ts'

/** Where the kernel offers its resource manager: commands of several programs do not disturb each other there. */
const RESOURCE_MANAGER = '/dev/tpmrm0'

/**
 * The TCTI configuration to open: the configured one, else the kernel's resource manager, else undefined: this
 * machine has a software identity only. `/dev/tpm0` is never chosen: without a resource manager it is one program's.
 */
export function chooseTcti(
  configured: string | undefined,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  if (configured !== undefined && configured !== '') return configured
  return exists(RESOURCE_MANAGER) ? `device:${RESOURCE_MANAGER}` : undefined
}

/** The file that `device:/dev/tpmrm0` names; undefined for what only tpm2-tss reaches. */
export function deviceFileOf(tcti: string): string | undefined {
  if (tcti === 'device' || tcti === 'device:') return RESOURCE_MANAGER
  return tcti.startsWith('device:') ? tcti.slice('device:'.length) : undefined
}

const TRANSPORTS: Readonly<Record<TpmTransport, string>> = { tss2: 'through tpm2-tss', device: 'without tpm2-tss' }

/** For people. */
export const describeTransport = ({ transport }: { readonly transport: TpmTransport }): string => TRANSPORTS[transport]

/** For people: `device:/dev/tpmrm0` becomes `/dev/tpmrm0`, `swtpm:host=…,port=…` a software TPM at that address. */
export function describeTcti(tcti: string | undefined): string {
  if (tcti === undefined) return 'none'
  const [name = '', ...rest] = tcti.split(':')
  const configuration = rest.join(':')
  switch (name) {
    case 'device':
      return configuration === '' ? 'the default TPM device' : configuration
    case 'swtpm': {
      const settings = new URLSearchParams(configuration.replaceAll(',', '&'))
      return `software TPM at ${settings.get('host') ?? 'localhost'} port ${settings.get('port') ?? '2321'}`
    }
    case 'tabrmd':
      return 'the TPM access broker (tpm2-abrmd)'
    default:
      return tcti
  }
}
