import { isIP } from 'node:net'
import { KeepsealError } from '../../shared/errors.ts'
import type { RelyingParty } from '../../shared/webauthn/relying-party.ts'

/**
 * Whom passkeys are for here: the host that people reach the collector by, and `localhost` where pages are served without
 * TLS on this machine. An address without a name can have none (WebAuthn Level 3 section 5.1.3).
 */
export function relyingPartiesOf(publicUrl: string, plainPort: number | null): readonly RelyingParty[] {
  const { origin, hostname } = new URL(publicUrl)
  const hasName = isIP(hostname.replaceAll(/[[\]]/g, '')) === 0
  return [
    ...(hasName ? [{ id: hostname, origins: [origin] }] : []),
    ...(plainPort === null ? [] : [{ id: 'localhost', origins: [`http://localhost:${plainPort}`] }]),
  ]
}

/** The one of the page that asks, by the host that its browser names. Error: auth.passkey-unavailable. */
export function relyingPartyAt(parties: readonly RelyingParty[], host: string | undefined): RelyingParty {
  const found = parties.find(({ origins }) => origins.some((origin) => new URL(origin).host === host)) ?? parties[0]
  if (found === undefined) throw new KeepsealError('auth.passkey-unavailable')
  return found
}

/** Error: auth.passkey-unavailable. */
export function relyingPartyNamed(parties: readonly RelyingParty[], id: string): RelyingParty {
  const found = parties.find((party) => party.id === id)
  if (found === undefined) throw new KeepsealError('auth.passkey-unavailable', `none is for ${id} any more`)
  return found
}
