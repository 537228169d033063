import { equal, toHex } from '../bytes/bytes.ts'
import type { HashAlgorithm, HashFunction } from '../crypto/crypto.ts'
import { EVENT_TYPE, eventTypeName } from './constants.ts'
import { parseEfiVariable, type EfiVariable } from './decode/efi-variable.ts'
import { IMAGE_SECURITY_DATABASE, SHIM_LOCK } from './decode/guid.ts'
import { countOf, parseSignatureLists, type SignatureList } from './decode/signature-list.ts'
import { proofOf } from './digests.ts'
import type { EventLogProblem } from './problem.ts'
import { isExtended } from './replay.ts'
import { isRegularSeparator } from './rules.ts'
import { weaknessOfAction } from './secure-boot-actions.ts'
import type { BootAuthority, SecureBootState, SecureBootWeakness } from './secure-boot-state.ts'
import {
  authoritySignature,
  CONFIGURATION_ORDER,
  describeAuthority,
  isConfiguration,
  isConfigurationName,
  membershipIn,
  parseSbatLevel,
  summarizeDatabase,
  type ConfigurationName,
} from './secure-boot-variables.ts'
import type { ReplayedLog, UnverifiedEventLog } from './types.ts'

const PCR = 7

interface Pcr7Event {
  readonly sequence: number
  readonly claimedType: number
  readonly digest: Uint8Array
  readonly data: Uint8Array
}

/**
 * Secure Boot as proven by a replayed log. Never throws: what cannot be concluded is `unknown`, with the reasons in
 * `problems`. Every event of PCR 7 counts, and one that is not understood makes the whole unknown, because the type of
 * an event is not covered by its digest: a firmware's "SecureBoot is 0" must not be hidden by a type that is ignored.
 */
export function secureBootState(log: ReplayedLog, hash: HashFunction): SecureBootState {
  const status = log.pcrs.get(PCR)?.status
  if (status !== 'replayed') {
    return unknown('quote', [{ code: 'eventlog.not-replayed', pcr: PCR, detail: status ?? 'not quoted' }], [])
  }
  return evaluate(
    'quote',
    log.events.filter(({ pcr }) => pcr === PCR),
    log.bank,
    hash,
  )
}

/** The same for a log without a quote: what it claims. For showing to people, never for a verdict. */
export function claimedSecureBootState(
  log: UnverifiedEventLog,
  bank: HashAlgorithm,
  hash: HashFunction,
): SecureBootState {
  const events: Pcr7Event[] = []
  for (const event of log.events) {
    const digest = event.digests.get(bank)
    if (event.pcr !== PCR || !isExtended(event)) continue
    if (digest === undefined)
      return unknown('log', [{ code: 'eventlog.bank-missing', pcr: PCR, sequence: event.sequence }], [])
    events.push({ sequence: event.sequence, claimedType: event.type, digest, data: event.data })
  }
  return evaluate('log', events, bank, hash)
}

function unknown(
  basis: SecureBootState['basis'],
  problems: readonly EventLogProblem[],
  weaknesses: readonly SecureBootWeakness[],
): SecureBootState {
  return {
    basis,
    enabled: 'unknown',
    setupMode: 'unknown',
    weaknesses,
    platformKey: 'unknown',
    keyExchangeKeys: 'unknown',
    allowed: 'unknown',
    forbidden: 'unknown',
    authorities: [],
    sbatLevel: 'unknown',
    problems,
  }
}

function evaluate(
  basis: SecureBootState['basis'],
  events: readonly Pcr7Event[],
  bank: HashAlgorithm,
  hash: HashFunction,
): SecureBootState {
  const reader = new Pcr7Reader(hash)
  for (const event of events) reader.read(event, proofOf(event, bank, hash).proof === 'data-hashed')
  return reader.conclude(basis)
}

type AuthorityPlace = Pick<BootAuthority, 'sequence' | 'phase'>

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** The state machine over the events of PCR 7, PFP section 3.3.4.8: configuration, separator, authorities. */
class Pcr7Reader {
  readonly #hash: HashFunction
  readonly #problems: EventLogProblem[] = []
  readonly #weaknesses = new Set<SecureBootWeakness>()
  /** By vendor and name. */
  readonly #seen = new Set<string>()
  readonly #values = new Map<ConfigurationName, Uint8Array>()
  readonly #databases = new Map<ConfigurationName, { digest: Uint8Array; lists: readonly SignatureList[] }>()
  readonly #authorities: { readonly variable: EfiVariable; readonly at: AuthorityPlace }[] = []
  /** Whether db holds a signature: db is measured once, before the first question. */
  #isAllowed: ((signature: Uint8Array) => boolean) | undefined
  #sbatValue: Uint8Array | undefined
  #separated = false

  constructor(hash: HashFunction) {
    this.#hash = hash
  }

  read(event: Pcr7Event, proven: boolean): void {
    if (!proven) return this.#problem('eventlog.digest-mismatch', event)
    switch (event.claimedType) {
      case EVENT_TYPE.EV_SEPARATOR:
        return this.#separator(event)
      case EVENT_TYPE.EV_EFI_ACTION:
        return this.#action(event)
      case EVENT_TYPE.EV_EFI_VARIABLE_DRIVER_CONFIG:
        return this.#configuration(event)
      case EVENT_TYPE.EV_EFI_VARIABLE_AUTHORITY:
        return this.#authority(event)
      case EVENT_TYPE.EV_EFI_SPDM_DEVICE_POLICY:
      case EVENT_TYPE.EV_EFI_SPDM_DEVICE_AUTHORITY:
        return this.#device(event)
      default:
        return this.#problem('eventlog.forbidden-event', event, eventTypeName(event.claimedType))
    }
  }

  #problem(code: EventLogProblem['code'], event?: Pcr7Event, detail?: string): void {
    this.#problems.push({
      code,
      pcr: PCR,
      ...(event === undefined ? {} : { sequence: event.sequence }),
      ...(detail === undefined ? {} : { detail }),
    })
  }

  #separator(event: Pcr7Event): void {
    if (this.#separated) this.#problem('eventlog.separator', event, 'a second one')
    else if (!isRegularSeparator(event.data)) this.#problem('eventlog.separator', event, 'not a regular value')
    this.#separated = true
  }

  #action(event: Pcr7Event): void {
    const weakness = weaknessOfAction(event.data)
    if (weakness === undefined) this.#problem('eventlog.forbidden-event', event, 'action')
    else this.#weaknesses.add(weakness)
  }

  #configuration(event: Pcr7Event): void {
    const variable = parseEfiVariable(event.data)
    if (variable === undefined) return this.#problem('eventlog.variable-malformed', event)
    const { name, vendor, value } = variable
    if (this.#separated) return this.#problem('eventlog.variable-order', event, `${name} after the separator`)
    const key = `${toHex(vendor)} ${name}`
    if (this.#seen.has(key)) return this.#problem('eventlog.duplicate-variable', event, name)
    this.#seen.add(key)
    if (name === 'AuditMode' && value[0] !== 0 && value.length > 0) this.#weaknesses.add('audit-mode')
    if (!isConfigurationName(name)) return
    if (!isConfiguration(variable))
      return this.#problem('eventlog.variable-malformed', event, `${name} of another vendor`)
    const later = CONFIGURATION_ORDER.slice(CONFIGURATION_ORDER.indexOf(name) + 1).some((next) =>
      this.#values.has(next),
    )
    if (later) return this.#problem('eventlog.variable-order', event, name)
    this.#values.set(name, value)
    if (name === 'SecureBoot') {
      const valid = value.length === 0 || (value.length === 1 && (value[0] === 0 || value[0] === 1))
      if (!valid) this.#problem('eventlog.variable-malformed', event, name)
      return
    }
    const lists = parseSignatureLists(value)
    if (lists === undefined) return this.#problem('eventlog.variable-malformed', event, name)
    this.#databases.set(name, { digest: event.digest, lists })
  }

  #authority(event: Pcr7Event): void {
    const variable = parseEfiVariable(event.data)
    if (variable === undefined) return this.#problem('eventlog.variable-malformed', event)
    const { name, vendor, value } = variable
    const database = name === 'db' && equal(vendor, IMAGE_SECURITY_DATABASE)
    // A configuration variable in the clothes of an authority would escape the rules for configuration.
    if (isConfigurationName(name) && !database) return this.#problem('eventlog.forbidden-event', event, name)
    if (database && this.#enabled()) this.#checkDatabaseAuthority(event, variable)
    if (name === 'SbatLevel' && equal(vendor, SHIM_LOCK)) this.#revocations(event, value)
    if (name === 'MokSBState' && value.some((byte) => byte !== 0)) this.#weaknesses.add('shim-validation-disabled')
    const phase = this.#separated ? 'after-separator' : 'before-separator'
    this.#authorities.push({ variable, at: { sequence: event.sequence, phase } })
  }

  /** Whatever runs after shim could measure another level: only the first counts, and a different one is a fault. */
  #revocations(event: Pcr7Event, value: Uint8Array): void {
    if (this.#sbatValue === undefined) this.#sbatValue = value
    else if (!equal(this.#sbatValue, value)) this.#problem('eventlog.duplicate-variable', event, 'SbatLevel')
  }

  #checkDatabaseAuthority(event: Pcr7Event, { value }: EfiVariable): void {
    const lists = this.#databases.get('db')?.lists
    if (lists === undefined) return this.#problem('eventlog.variable-order', event, 'authority before db')
    this.#isAllowed ??= membershipIn(lists)
    if (!this.#isAllowed(authoritySignature(value))) this.#problem('eventlog.authority-unknown', event)
  }

  /** SPDM device authentication: configuration of other things than images, which ends at the separator too. */
  #device(event: Pcr7Event): void {
    const policy = event.claimedType === EVENT_TYPE.EV_EFI_SPDM_DEVICE_POLICY
    const name = parseEfiVariable(event.data)?.name
    if (name === undefined) this.#problem('eventlog.variable-malformed', event)
    else if (name !== 'devdb' || (policy && this.#separated)) this.#problem('eventlog.forbidden-event', event, name)
  }

  /** Firmware without Secure Boot measures an absent variable as an empty one. */
  #enabled(): boolean {
    return this.#values.get('SecureBoot')?.[0] === 1
  }

  conclude(basis: SecureBootState['basis']): SecureBootState {
    if (!this.#values.has('SecureBoot')) this.#problem('eventlog.variable-missing', undefined, 'SecureBoot')
    if (!this.#separated) this.#problem('eventlog.separator', undefined, 'none')
    const enabled = this.#enabled()
    if (enabled) this.#requireWorkingKeys()
    const platformKey = this.#databases.get('PK')?.lists
    const setupMode = platformKey === undefined ? 'unknown' : countOf(platformKey) === 0
    if (setupMode === true) this.#weaknesses.add('setup-mode')
    const weaknesses = [...this.#weaknesses]
    if (this.#problems.length > 0) return unknown(basis, this.#problems, weaknesses)
    // Fingerprints and names are worth nothing to a verdict: they are made where somebody reads them.
    const platformKeys = lazily(() => this.#summary('PK'))
    const keyExchangeKeys = lazily(() => this.#summary('KEK'))
    const allowed = lazily(() => this.#summary('db'))
    const forbidden = lazily(() => this.#summary('dbx'))
    const authorities = lazily(() =>
      this.#authorities.map(({ variable, at }) => describeAuthority(variable, at, this.#hash)),
    )
    return {
      basis,
      enabled,
      setupMode,
      weaknesses,
      get platformKey() {
        return platformKeys()
      },
      get keyExchangeKeys() {
        return keyExchangeKeys()
      },
      get allowed() {
        return allowed()
      },
      get forbidden() {
        return forbidden()
      },
      get authorities() {
        return authorities()
      },
      sbatLevel: (this.#sbatValue === undefined ? undefined : parseSbatLevel(this.#sbatValue)) ?? 'unknown',
      problems: [],
    }
  }

  /** Enabled Secure Boot without keys, or that let something start without using one, is a contradiction. */
  #requireWorkingKeys(): void {
    for (const name of ['PK', 'KEK', 'db', 'dbx'] as const) {
      const lists = this.#databases.get(name)?.lists
      if (lists === undefined || (name !== 'dbx' && countOf(lists) === 0)) {
        this.#problem('eventlog.variable-missing', undefined, name)
      }
    }
    if (!this.#authorities.some(({ variable }) => variable.name === 'db')) this.#problem('eventlog.authority-missing')
  }

  #summary(name: ConfigurationName): SecureBootState['allowed'] {
    const database = this.#databases.get(name)
    return database === undefined ? 'unknown' : summarizeDatabase(database.digest, database.lists, this.#hash)
  }
}
