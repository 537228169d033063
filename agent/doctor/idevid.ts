import { KeepsealError } from '../../shared/errors.ts'
import { idevidPlaceOf } from '../enrol/certificate-file.ts'
import { readIdevid, type Idevid } from '../tpm/idevid.ts'
import { openTpm } from '../tpm/open.ts'
import { chooseTcti } from '../tpm/tcti.ts'
import { good, type Check, type CheckResult } from './check.ts'

const kindOf = ({ area }: Idevid): string =>
  area.type === 'rsa' ? `RSA-${area.keyBits}` : area.curve.replace('p', 'P-')

function failure(error: unknown): CheckResult {
  if (!(error instanceof KeepsealError)) return { status: 'failed', detail: String(error) }
  return { status: 'failed', detail: error.message, remedy: error.remedy }
}

/** Nothing is signed: a key with a password would count that as an attempt to guess it. */
export const idevid: Check = {
  id: 'idevid',
  title: 'IDevID',
  async run({ config }) {
    if (config.tpm.idevidHandle === '') return good('none is configured')
    try {
      const place = await idevidPlaceOf(config)
      const tcti = config.tpm.tcti === 'none' ? undefined : chooseTcti(config.tpm.tcti)
      if (place === undefined || tcti === undefined) {
        const remedy = 'Unset tpm.idevid_handle, or let the agent use the TPM.'
        return { status: 'failed', detail: 'its key is in a TPM, and none is here', remedy }
      }
      const tpm = await openTpm(tcti, { boundMs: 10_000, transport: config.tpm.transport })
      try {
        const found = await readIdevid(tpm, place)
        return good(`${kindOf(found)} at ${config.tpm.idevidHandle}, certificate ${config.tpm.idevidCertificate}`)
      } finally {
        await tpm.close()
      }
    } catch (error) {
      return failure(error)
    }
  },
}
