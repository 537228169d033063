import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { EVENT_TYPE, NO_PCR } from './constants.ts'
import { hasSignature, signature } from './spec-id.ts'
import type { UnverifiedEvent, UnverifiedEventLog } from './types.ts'

/** One PCR of one bank, as TPM2_PCR_Extend changes it: value = H(value || digest), TPM 2.0 Part 1, section 17.2. */
export class PcrRegister {
  readonly #hash: HashFunction
  readonly #bank: HashAlgorithm
  /** Value and digest side by side, so that a replay does not allocate for each event. */
  readonly #buffer: Uint8Array
  readonly #size: number

  constructor(bank: HashAlgorithm, initial: Uint8Array, hash: HashFunction) {
    this.#hash = hash
    this.#bank = bank
    this.#size = HASH_SIZE[bank]
    this.#buffer = new Uint8Array(2 * this.#size)
    this.#buffer.set(initial)
  }

  extend(digest: Uint8Array): this {
    this.#buffer.set(digest, this.#size)
    this.#buffer.set(this.#hash(this.#bank, this.#buffer))
    return this
  }

  holds(value: Uint8Array): boolean {
    if (value.length !== this.#size) return false
    for (let i = 0; i < this.#size; i++) if (this.#buffer[i] !== value[i]) return false
    return true
  }

  value(): Uint8Array {
    return this.#buffer.slice(0, this.#size)
  }
}

/** PCRs that only a dynamic launch resets to zero start at ones: TCG PC Client Platform TPM Profile, section 4.6. */
const DYNAMIC_LAUNCH_PCRS = { first: 17, last: 22 }

/** The value of a PCR after TPM2_Startup. `locality` matters to PCR 0 alone. */
export function initialPcr(bank: HashAlgorithm, pcr: number, locality: number): Uint8Array {
  const dynamic = pcr >= DYNAMIC_LAUNCH_PCRS.first && pcr <= DYNAMIC_LAUNCH_PCRS.last
  const value = new Uint8Array(HASH_SIZE[bank]).fill(dynamic ? 0xff : 0)
  if (pcr === 0) value[value.length - 1] = locality
  return value
}

/** EV_NO_ACTION informs and is extended nowhere, wherever it stands; so is an event that names no PCR. */
export const isExtended = (event: UnverifiedEvent): boolean =>
  event.type !== EVENT_TYPE.EV_NO_ACTION && event.pcr !== NO_PCR

const STARTUP_LOCALITY = signature('StartupLocality')

/** TCG_EfiStartupLocalityEvent, PFP section 10.4.5.3: the signature and one byte. Undefined for other data. */
export const startupLocalityOf = (data: Uint8Array): number | undefined =>
  hasSignature(data, STARTUP_LOCALITY) ? data[STARTUP_LOCALITY.length] : undefined

/** The startup locality that the log claims. A hardware root of trust implies 4 where it says nothing. */
export function claimedStartupLocality(log: UnverifiedEventLog): number {
  for (const { pcr, type, data } of log.events) {
    if (type !== EVENT_TYPE.EV_NO_ACTION || pcr !== 0) continue
    const locality = startupLocalityOf(data)
    if (locality !== undefined) return locality
  }
  const first = log.events.find((event) => event.pcr === 0 && isExtended(event))
  return first?.type === EVENT_TYPE.EV_EFI_HCRTM_EVENT ? 4 : 0
}

/**
 * The PCR values that the log as a whole leads to in one bank: what it claims, without any quote. Only PCRs with
 * events are in it. A PCR of which some event has no digest in this bank is left out.
 */
export function replayBank(
  log: UnverifiedEventLog,
  bank: HashAlgorithm,
  hash: HashFunction,
): ReadonlyMap<number, Uint8Array> {
  const locality = claimedStartupLocality(log)
  const registers = new Map<number, PcrRegister | undefined>()
  for (const event of log.events) {
    if (!isExtended(event)) continue
    const digest = event.digests.get(bank)
    const register = registers.has(event.pcr)
      ? registers.get(event.pcr)
      : new PcrRegister(bank, initialPcr(bank, event.pcr, locality), hash)
    registers.set(event.pcr, digest === undefined ? undefined : register?.extend(digest))
  }
  const values = new Map<number, Uint8Array>()
  for (const [pcr, register] of [...registers].sort(([a], [b]) => a - b)) {
    if (register !== undefined) values.set(pcr, register.value())
  }
  return values
}
