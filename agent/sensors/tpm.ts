import { KeepsealError } from '../../shared/errors.ts'
import type { TpmAttributes } from '../tpm/commands/attributes.ts'
import type { Host, HostResult } from './host.ts'
import { required } from './required.ts'
import { SensorFailure, type Reading, type Sensor } from './sensor.ts'

async function ask(host: Host): Promise<HostResult<TpmAttributes>> {
  try {
    return await host.tpm()
  } catch (error) {
    if (!(error instanceof KeepsealError)) throw error
    throw new SensorFailure({ status: 'failed', code: 'input-unreadable', detail: error.message })
  }
}

async function measure(host: Host): Promise<Reading<'tpm'>> {
  const attributes = required(await ask(host), 'the TPM', 'file')
  if (attributes === undefined) return { status: 'not-supported', reason: 'no-tpm' }
  const { content, lockoutCounter } = attributes
  const state = 'value' in lockoutCounter ? { 'tpm.lockout-counter': lockoutCounter.value } : {}
  return { status: 'measured', content, state }
}

export const tpmSensor: Sensor<'tpm'> = {
  id: 'tpm',
  title: 'what the TPM says about itself',
  section: 'tpm',
  reads: 'TPM2_GetCapability and TPM2_PCR_Read of the TPM that quotes',
  needs: 'read and write permission for the TPM device',
  blindSpots:
    'the TPM does not sign these answers, so that whoever controls the gateway can change them; ' +
    'a TPM that the agent does not use; PCR banks of algorithms that it does not know',
  // The first one of a process loads the TSS, which the quote needs too; later ones take a few.
  budget: { cpuMs: 40 },
  remedy: 'Is the user of the service in the group of the TPM? usermod -aG tss keepseal-agent',
  measure,
}
