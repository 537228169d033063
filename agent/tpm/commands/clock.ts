import { ByteReader } from '../../../shared/bytes/reader.ts'
import { ESAPI, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'

/** TPMS_TIME_INFO, Part 2 sections 10.10.6 and 10.11.1. */
export interface TpmTime {
  /** Milliseconds since the TPM got power. */
  readonly timeMs: bigint
  /** Milliseconds that the TPM has had power in its life; goes back when the TPM is cleared. */
  readonly clockMs: bigint
  readonly resetCount: number
  readonly restartCount: number
  /** False when power was lost without a shutdown and the clock has not caught up yet. */
  readonly safe: boolean
}

/** TPM2_ReadClock (Part 3, 29.1). Not signed: for display and scheduling only. */
export async function readClock(tpm: Tpm): Promise<TpmTime> {
  const [bytes] = await tpm.execute(ESAPI.readClock, UNAUTHORIZED)
  const reader = new ByteReader(bytes)
  return {
    timeMs: reader.u64(),
    clockMs: reader.u64(),
    resetCount: reader.u32(),
    restartCount: reader.u32(),
    safe: reader.u8() === 1,
  }
}
