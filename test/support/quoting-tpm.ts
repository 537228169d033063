import { createHash } from 'node:crypto'
import { concat } from '../../shared/bytes/bytes.ts'
import { ByteWriter } from '../../shared/bytes/writer.ts'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import { hash } from '../../shared/crypto/node.ts'
import { TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE, type PcrBank } from '../../shared/tpm/constants.ts'
import {
  encodePcrSelection,
  pcrDigest,
  selectionOf,
  type PcrSelection,
  type PcrValues,
} from '../../shared/tpm/pcr-selection.ts'
import { encodeSignature } from '../../shared/tpm/signature.ts'
import { pcrsOf, type EventSpec } from './eventlog-builder.ts'
import { SoftwareSigner } from './tpm-quote.ts'

/** What a forged quote says instead of the truth. */
export interface QuoteLies {
  readonly magic?: number
  readonly type?: number
  readonly extraData?: Uint8Array
  /** Quoted; what is reported beside it stays. */
  readonly selection?: PcrSelection
  /** Reported; what is quoted stays. */
  readonly reported?: PcrValues
  readonly signer?: SoftwareSigner
  /** As which key it signs; the signer's own name if absent. */
  readonly qualifiedSigner?: Uint8Array
  readonly signatureHash?: HashAlgorithm
}

const FIRMWARE_PCRS = [0, 1, 2, 3, 4, 5, 6, 7]
const valueOf = (label: string, bank: PcrBank): Uint8Array =>
  new Uint8Array(
    createHash(bank === 'sha1' ? 'sha1' : 'sha256')
      .update(label)
      .digest(),
  )

/** The attestation side of a TPM, in software: PCRs that can be extended, a clock, quotes by a P-256 key. */
export class QuotingTpm {
  readonly signer: SoftwareSigner
  clockMs = 1_000_000n
  firmwareVersion = 0x2019_1023n
  resetCount = 40
  restartCount = 0
  #pcrs: Map<PcrBank, Map<number, Uint8Array>>

  constructor(signer = new SoftwareSigner('ecdsa')) {
    this.signer = signer
    this.#pcrs = bootedPcrs()
  }

  get pcrs(): PcrValues {
    return this.#pcrs
  }

  setPcr(bank: PcrBank, pcr: number, value: Uint8Array): void {
    const values = this.#pcrs.get(bank) ?? new Map<number, Uint8Array>()
    this.#pcrs.set(bank, values.set(pcr, value))
  }

  removeBank(bank: PcrBank): void {
    this.#pcrs.delete(bank)
  }

  /** TPM2_PCR_Extend of the SHA-256 bank. */
  extend(pcr: number, event: string): void {
    const before = this.#pcrs.get('sha256')?.get(pcr) ?? new Uint8Array(32)
    this.setPcr('sha256', pcr, new Uint8Array(hash('sha256', concat(before, hash('sha256', Buffer.from(event))))))
  }

  /** The machine boots again: as it booted before, or so that it measures `events`, into PCRs 0 to 15. */
  reboot(events?: readonly EventSpec[]): void {
    this.#pcrs = events === undefined ? bootedPcrs() : new Map([['sha256', new Map(pcrsOf(events))]])
    this.resetCount = (this.resetCount + 1) >>> 0
    this.restartCount = 0
  }

  /** TPM2_Clear: counters and clock begin anew, the attestation key comes back. */
  clear(): void {
    this.clockMs = 1_000n
    this.resetCount = 0
    this.restartCount = 0
  }

  /** A virtual TPM that was copied with its machine. */
  copy(): QuotingTpm {
    const copy = new QuotingTpm(this.signer)
    copy.#pcrs = new Map([...this.#pcrs].map(([bank, values]) => [bank, new Map(values)]))
    copy.clockMs = this.clockMs
    copy.resetCount = this.resetCount
    copy.restartCount = this.restartCount
    return copy
  }

  quote(extraData: Uint8Array, lies: QuoteLies = {}) {
    this.clockMs += 300_000n
    const { signer = this.signer, signatureHash = 'sha256' } = lies
    const selection = lies.selection ?? selectionOf(this.#pcrs)
    const attest = new ByteWriter()
      .u32(lies.magic ?? TPM_GENERATED_VALUE)
      .u16(lies.type ?? TPM_ST_ATTEST_QUOTE)
      .sized16(lies.qualifiedSigner ?? signer.attestationKey.qualifiedName)
      .sized16(lies.extraData ?? extraData)
      .u64(this.clockMs)
      .u32(this.resetCount)
      .u32(this.restartCount)
      .u8(1)
      .u64(this.firmwareVersion)
      .bytes(encodePcrSelection(selection))
      .sized16(pcrDigest(hash, signatureHash, this.#pcrs, selection))
      .finish()
    return Promise.resolve({
      attest,
      signature: encodeSignature(signer.sign(attest, signatureHash)),
      pcrs: lies.reported ?? this.pcrs,
    })
  }
}

function bootedPcrs(): Map<PcrBank, Map<number, Uint8Array>> {
  return new Map([['sha256', new Map(FIRMWARE_PCRS.map((pcr) => [pcr, valueOf(`pcr ${pcr}`, 'sha256')]))]])
}
