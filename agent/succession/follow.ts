import { X509Certificate } from 'node:crypto'
import { equal } from '../../shared/bytes/bytes.ts'
import type { CoseKey } from '../../shared/cose/key.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import type { DeviceKey } from '../../shared/evidence/evidence.ts'
import { successorsOf, type Successor } from '../../shared/evidence/succession.ts'
import { certificatesIn } from '../../shared/text/pem.ts'
import type { FollowedTrust } from '../state/change-identity.ts'
import { collectorKeyOf, type Identity } from '../state/identity.ts'
import { MAX_FORMER_KEYS, type Fallback } from '../state/trust.ts'
import { brokerAddress } from '../transport/broker-stream.ts'

const publicKeyOf = (x: Uint8Array): CoseKey => ({ curve: 'Ed25519', x: Uint8Array.from(x) })
const importKey = (x: Uint8Array): DeviceKey => collectorKeyOf(publicKeyOf(x))

const unusable = (reason: string, cause: unknown): KeepsealError =>
  new KeepsealError('collector.refused', `its statement about its keys cannot be used: ${reason}`, {
    cause,
    remedy: 'What this device trusted before is kept. On the collector: keepseal-collector keys list',
  })

export interface Followed extends FollowedTrust {
  /** The broker is reached in another way. */
  readonly moved: boolean
}

/**
 * What this device is to trust by the chain that it was given; undefined where there is nothing newer in it for this
 * device. `now`: seconds since 1970, by the best that is known.
 * Throws KeepsealError `collector.refused` for a chain of its collector's that cannot be used.
 */
export function follow(identity: Identity, chain: Uint8Array, now: number): Followed | undefined {
  const { collector, trust, tls } = identity
  const trusted = { id: collector.id, key: collector.key, number: trust.number }
  let successors: readonly Successor[]
  try {
    successors = successorsOf(trusted, chain, importKey)
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    throw unusable(`${error.code}, ${error.message}`, error)
  }
  const newest = successors.at(-1)
  if (newest === undefined) return undefined
  const certificateAuthority = authoritiesOf(newest)
  const publicKey = publicKeyOf(newest.key)
  const { url, mqttUrl } = collector
  const moved = newest.mqttUrl !== mqttUrl || certificateAuthority !== normal(tls.certificateAuthority)
  const before = { url, mqttUrl, certificateAuthority: tls.certificateAuthority, since: now }
  return {
    trust: {
      number: newest.number,
      formerKeys: formerKeys(identity, successors),
      fallback: moved
        ? fallbackAfter(trust.fallback ?? before, newest.mqttUrl, certificateAuthority, now)
        : trust.fallback,
    },
    collector: { url: newest.collectorUrl, mqttUrl: newest.mqttUrl, publicKey },
    certificateAuthority,
    moved,
  }
}

/** The last way that has proven itself, however often the next one changes; none where that is the next one again. */
function fallbackAfter(
  proven: Fallback,
  mqttUrl: string,
  certificateAuthority: string,
  since: number,
): Fallback | null {
  const isBack = proven.mqttUrl === mqttUrl && normal(proven.certificateAuthority) === certificateAuthority
  return isBack ? null : { ...proven, since }
}

/** In one form, whoever wrote them. */
const normal = (pem: string): string =>
  certificatesIn(pem)
    .map((each) => new X509Certificate(each).toString())
    .join('')

/** PEM of what a device can work with. */
function authoritiesOf({ authorities, mqttUrl, collectorUrl }: Successor): string {
  try {
    brokerAddress(mqttUrl)
    if (!URL.canParse(collectorUrl) || new URL(collectorUrl).protocol !== 'https:') throw new Error('no HTTPS address')
    return authorities
      .map((der) => {
        const certificate = new X509Certificate(der)
        if (!certificate.ca) throw new Error('not a certificate authority')
        return certificate.toString()
      })
      .join('')
  } catch (cause) {
    throw unusable(cause instanceof Error ? cause.message : 'malformed', cause)
  }
}

/** Those in force before the newest one, without repetition. */
function formerKeys({ collector, trust }: Identity, successors: readonly Successor[]): CoseKey[] {
  const newest = successors.at(-1)?.key ?? collector.publicKey.x
  const passed = [...trust.formerKeys, collector.publicKey, ...successors.map(({ key }) => publicKeyOf(key))]
  return passed
    .filter(({ x }, index) => !equal(x, newest) && !passed.slice(index + 1).some((later) => equal(x, later.x)))
    .slice(-MAX_FORMER_KEYS)
}
