import { TPM_RH_ENDORSEMENT, TPM_RH_NULL } from '../../../shared/tpm/constants.ts'
import { ESYS_TR } from '../esapi.ts'

const TPM_RS_PW = 0x40000009

const HANDLES: ReadonlyMap<number, number> = new Map([
  [ESYS_TR.none, TPM_RH_NULL],
  [ESYS_TR.password, TPM_RS_PW],
  [ESYS_TR.endorsement, TPM_RH_ENDORSEMENT],
])

/** A number of ESAPI as the TPM has it; everything that a TPM gave is itself. */
export const tpmHandleOf = (value: number): number => HANDLES.get(value) ?? value
