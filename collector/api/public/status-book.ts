import { hash } from '../../../shared/crypto/node.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { decodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import {
  signStatus,
  STATUS_LIFETIME_SECONDS,
  statusBodyOf,
  type CertificateStatus,
  type PublicExtras,
  type StatusBody,
} from '../../../shared/certificate/status.ts'
import type { PublishedFacts } from '../../decisions/published-facts.ts'
import { Recent } from '../../recent.ts'
import type { ApiServices } from '../services.ts'
import { statusListUri } from './status-list-routes.ts'

/** A status with its signed form. */
export interface SignedStatus {
  readonly status: CertificateStatus
  readonly bytes: Uint8Array
  /** Of the bytes, in hexadecimal. */
  readonly digest: string
}

type StatusServices = Pick<ApiServices, 'decisions' | 'clock' | 'keys' | 'publicUrl' | keyof PublishedFacts>

const CERTIFICATES = 1024

/**
 * Signed statuses of certificates: one is signed anew when something in it changes, or half of its life is over, however
 * many ask for it. Of a draft the public learns nothing.
 */
export class StatusBook {
  readonly #services: StatusServices
  readonly #signed = new Recent<SignedStatus>(CERTIFICATES)

  constructor(services: StatusServices) {
    this.#services = services
  }

  /** Error: request.not-found. */
  async of(id: string): Promise<SignedStatus> {
    const { decisions, clock, keys, publicUrl } = this.#services
    const register = await decisions.register()
    const certificate = register.certificates.get(id)
    if (certificate === undefined || certificate.issuedAt === null) {
      throw new KeepsealError('request.not-found', 'no certificate of this name was issued')
    }
    const { log: logId } = await decisions.next()
    if (logId === null) throw new KeepsealError('internal.failure', 'a certificate without a log')
    const now = Math.floor(clock() / 1000)
    const limitations = publicLimitations(await this.documentOf(certificate))
    const body = statusBodyOf(certificate, register, now, {
      logId,
      limitations,
      ...(await this.#live(certificate, register)),
    })
    const held = this.#signed.get(id)
    const isYoung =
      held !== undefined && now >= held.status.issuedAt && now - held.status.issuedAt < STATUS_LIFETIME_SECONDS / 2
    if (isYoung && JSON.stringify(held.status.body) === JSON.stringify(body)) return held
    const list = { uri: statusListUri(publicUrl), index: certificate.place }
    const status = { certificate: id, issuedAt: now, expiresAt: now + STATUS_LIFETIME_SECONDS, list, body }
    const bytes = await signStatus(status, keys.signer)
    return this.#signed.keep(id, { status, bytes, digest: toHex(hash('sha256', bytes)) })
  }

  /** What may be shown of how it is kept, computed only where something may. */
  async #live(certificate: Certificate, register: Register): Promise<Pick<PublicExtras, 'conformity' | 'coverage'>> {
    const { conformityOf, coverageOf, clock } = this.#services
    const { publicConformity } = certificate.agreement
    if (publicConformity === 'none') return { conformity: undefined, coverage: undefined }
    const { overall, practices } = await conformityOf(certificate, register, clock())
    const conformity = { overall, ...Object.fromEntries(practices) }
    if (publicConformity === 'flag') return { conformity, coverage: undefined }
    const counts = await coverageOf(certificate, register, clock())
    const coverage = counts.map(({ product, covered, notCovered }) => {
      const all = covered + notCovered
      return [product, all === 0 ? null : Math.floor((100 * covered) / all)] as const
    })
    return { conformity, coverage: Object.fromEntries(coverage) }
  }

  /** The document of its profile, if it is here and is the one that the certificate names. */
  async documentOf({ profile }: Certificate): Promise<ProfileDocument | undefined> {
    const bytes = await this.#services.profileDocument(profile.digest)
    if (bytes === undefined || toHex(hash('sha256', bytes)) !== profile.digest) return undefined
    return decodeProfile(bytes)
  }
}

const publicLimitations = (document: ProfileDocument | undefined): StatusBody['limitations'] =>
  document === undefined
    ? null
    : document.limitations
        .filter((each) => each.public)
        .map(({ id, title, reason, compensation }) => ({ id, title, reason, compensation: compensation?.text ?? null }))
