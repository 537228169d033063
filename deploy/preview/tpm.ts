import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openTpm } from '../../agent/tpm/open.ts'
import { chooseTcti } from '../../agent/tpm/tcti.ts'
import type { Keep } from './child.ts'
import type { PreviewPorts } from './ports.ts'
import { simulateBoot } from './simulated-boot.ts'
import { startSwtpm, type SoftwareTpm } from './software-tpm.ts'

export interface PreviewTpm {
  readonly tcti: string
  readonly firmwareLog: string
}

/** The TPM of this machine, else a private software TPM, else none: said aloud, because it changes what is proven. */
export async function findTpm(
  home: string,
  ports: PreviewPorts,
  keep: Keep,
  say: (line: string) => void,
): Promise<PreviewTpm> {
  const found = chooseTcti(undefined)
  if (found !== undefined) {
    say('Using the TPM of this machine.')
    return { tcti: found, firmwareLog: '/sys/kernel/security/tpm0/binary_bios_measurements' }
  }
  try {
    const stateDirectory = join(home, 'software-tpm')
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
    const software = await startSwtpm({ stateDirectory, port: ports.tpm })
    keep(() => software.stop())
    trust(home, software)
    const firmwareLog = join(home, 'simulated-boot.bin')
    const tpm = await openTpm(software.tcti)
    try {
      await simulateBoot(tpm, firmwareLog)
    } finally {
      await tpm.close()
    }
    say('No TPM here: using a private software TPM, whose boot log is marked as simulated.')
    return { tcti: software.tcti, firmwareLog }
  } catch (error) {
    say(`No TPM here, and no software TPM (${error instanceof Error ? error.message : 'unknown reason'}).`)
    say('Going on with a software identity, which proves nothing about the boot.')
    return { tcti: 'none', firmwareLog: '' }
  }
}

/** The preview's own vendor of TPMs is trusted by the preview's own collector alone. */
function trust(home: string, software: SoftwareTpm): void {
  const roots = join(home, 'ek-roots')
  mkdirSync(roots, { recursive: true })
  for (const [i, file] of software.caCertificates.entries()) copyFileSync(file, join(roots, `software-tpm-${i}.pem`))
}
