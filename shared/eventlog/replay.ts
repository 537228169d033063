import { HASH_SIZE, type HashAlgorithm, type HashFunction } from '../crypto/crypto.ts'
import { EVENT_TYPE, isOutsideOfPcrs } from './constants.ts'
import { STARTUP_LOCALITIES } from './quirks.ts'
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

const isDynamicLaunchPcr = (pcr: number): boolean => pcr >= DYNAMIC_LAUNCH_PCRS.first && pcr <= DYNAMIC_LAUNCH_PCRS.last

/** The value of a PCR after TPM2_Startup. `locality` matters to PCR 0 alone. */
export function initialPcr(bank: HashAlgorithm, pcr: number, locality: number): Uint8Array {
  const value = new Uint8Array(HASH_SIZE[bank]).fill(isDynamicLaunchPcr(pcr) ? 0xff : 0)
  if (pcr === 0) value[value.length - 1] = locality
  return value
}

/**
 * The value that the first logged event of a PCR extends. TPM2_Startup leaves PCRs 17 to 22 at ones, but what a log has
 * of them was measured by a dynamic launch, which set them to zeros before: the same section of the profile.
 */
const firstExtended = (bank: HashAlgorithm, pcr: number, locality: number): Uint8Array =>
  isDynamicLaunchPcr(pcr) ? new Uint8Array(HASH_SIZE[bank]) : initialPcr(bank, pcr, locality)

export interface StartValue {
  /** Of TPM2_Startup; tells of PCR 0 alone. */
  readonly locality: number
  readonly value: Uint8Array
}

/**
 * All values that a PCR may have started from, the claimed one first: a quote tells which it was. Zeros are a start of
 * PCRs 17 to 22 only if it has events (`logged`): something that resets a PCR says what it is.
 */
export function startValues(
  log: UnverifiedEventLog,
  bank: HashAlgorithm,
  pcr: number,
  logged: boolean,
): readonly StartValue[] {
  const localities = pcr === 0 ? [...new Set([claimedStartupLocality(log), ...STARTUP_LOCALITIES])] : [0]
  const starts = localities.map((locality) => ({ locality, value: initialPcr(bank, pcr, locality) }))
  return logged && isDynamicLaunchPcr(pcr) ? [{ locality: 0, value: firstExtended(bank, pcr, 0) }, ...starts] : starts
}

/** EV_NO_ACTION informs and is extended nowhere, wherever it stands; so is an event that names no PCR. */
export const isExtended = (event: UnverifiedEvent): boolean =>
  event.type !== EVENT_TYPE.EV_NO_ACTION && !isOutsideOfPcrs(event.pcr)

const STARTUP_LOCALITY = signature('StartupLocality')

/** TCG_EfiStartupLocalityEvent, PFP section 10.4.5.3: the signature and one byte. Undefined for other data. */
export const startupLocalityOf = (data: Uint8Array): number | undefined =>
  hasSignature(data, STARTUP_LOCALITY) ? data[STARTUP_LOCALITY.length] : undefined

/**
 * The startup locality that the log claims. A measurement by a hardware root of trust begins PCR 0 at 4 whatever the
 * locality of the TPM2_Startup that comes after it: TPM 2.0 Part 1, section 34.3.
 */
export function claimedStartupLocality(log: UnverifiedEventLog): number {
  const first = log.events.find((event) => event.pcr === 0 && isExtended(event))
  if (first?.type === EVENT_TYPE.EV_EFI_HCRTM_EVENT) return 4
  for (const { pcr, type, data } of log.events) {
    if (type !== EVENT_TYPE.EV_NO_ACTION || pcr !== 0) continue
    const locality = startupLocalityOf(data)
    if (locality !== undefined) return locality
  }
  return 0
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
      : new PcrRegister(bank, firstExtended(bank, event.pcr, locality), hash)
    registers.set(event.pcr, digest === undefined ? undefined : register?.extend(digest))
  }
  const values = new Map<number, Uint8Array>()
  for (const [pcr, register] of [...registers].sort(([a], [b]) => a - b)) {
    if (register !== undefined) values.set(pcr, register.value())
  }
  return values
}
