import { ByteWriter } from '../../shared/bytes/writer.ts'
import { TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE } from '../../shared/tpm/constants.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { SimulatedBoot } from './boot/boot.ts'
import type { SimulatedAttestationKey } from './keys/gateway-keys.ts'

const FIRMWARE_VERSION = 0x2019_1023n
/** It was in use for a while before the simulation began. */
const CLOCK_AT_START = 30n * 86_400_000n
export const RESETS_AT_START = 12

/** The part of a TPM that quotes, in software: PCRs as its boot left them, counters, a clock. */
export class SimulatedTpm {
  readonly key: SimulatedAttestationKey
  readonly #start: number
  #boot: SimulatedBoot
  #resetCount: number

  /** `start`: the wall clock (ms) when it was switched on. */
  constructor(key: SimulatedAttestationKey, boot: SimulatedBoot, start: number, resetCount: number = RESETS_AT_START) {
    this.key = key
    this.#boot = boot
    this.#start = start
    this.#resetCount = resetCount
  }

  get boot(): SimulatedBoot {
    return this.#boot
  }

  reboot(boot: SimulatedBoot): void {
    this.#boot = boot
    this.#resetCount++
  }

  /** A virtual TPM that was copied with its machine. */
  copy(): SimulatedTpm {
    return new SimulatedTpm(this.key, this.#boot, this.#start, this.#resetCount)
  }

  /** TPM2_Quote over all PCRs that the boot extended. `now`: the wall clock, ms. */
  quote(
    extraData: Uint8Array,
    now: number,
  ): { readonly attest: Uint8Array; readonly signature: Uint8Array; readonly pcrs: PcrValues } {
    const attest = new ByteWriter()
      .u32(TPM_GENERATED_VALUE)
      .u16(TPM_ST_ATTEST_QUOTE)
      .sized16(this.key.qualifiedName)
      .sized16(extraData)
      .u64(CLOCK_AT_START + BigInt(Math.max(0, Math.round(now - this.#start))))
      .u32(this.#resetCount)
      .u32(0)
      .u8(1)
      .u64(FIRMWARE_VERSION)
      .bytes(this.#boot.selection)
      .sized16(this.#boot.pcrDigest)
      .finish()
    return { attest, signature: this.key.sign(attest), pcrs: this.#boot.pcrs }
  }
}
