import type { Registration } from './registration.ts'
import type { VendorScope } from './scope.ts'

/** Which identities a product's devices may enrol with. Each further step is weaker, and visible for ever. */
export type IdentityPolicy = 'endorsed' | 'tofu' | 'software'
export type ApprovalPolicy = 'automatic' | 'manual'

export interface Product {
  /** `prd_` + UUIDv7. */
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly identityPolicy: IdentityPolicy
  readonly approvalPolicy: ApprovalPolicy
  readonly createdAt: number
}

export interface EnrolmentToken {
  /** `tok_` + UUIDv7. */
  readonly id: string
  readonly tokenHash: Uint8Array
  readonly productId: string
  /** Set for the privileged re-enrolment of one known device. */
  readonly reenrolUeid: string | null
  readonly expiresAt: number
  readonly reservedUntil: number | null
  /** SHA-256 over (EK name, device key): who holds the reservation. */
  readonly reservedBy: Uint8Array | null
  readonly usedAt: number | null
  readonly usedByUeid: string | null
  readonly createdAt: number
  /** Set where an endorsement key stands for the token: see ./registration.ts. `tokenHash` is then nobody's. */
  readonly registration: Registration | null
}

/** An enrolment between its two calls. */
export interface PendingEnrolment {
  /** `enr_` + UUIDv7. */
  readonly id: string
  readonly tokenId: string
  readonly challenge: Uint8Array
  /** SHA-256 of the secret that only the TPM can unwrap; null without a TPM. */
  readonly secretHash: Uint8Array | null
  /** The first call's body, as checked JSON. */
  readonly request: string
  readonly identity: 'tpm-endorsed' | 'tpm-tofu' | 'software'
  readonly expiresAt: number
}

export type ApiRole = 'vendor' | 'operator' | 'certifier' | 'auditor'

/** Who asks for something. */
export interface Actor {
  /** Of a token `api_` + UUIDv7. */
  readonly id: string
  readonly name: string
  readonly role: ApiRole
  /** null: bound to no vendor. */
  readonly scope: VendorScope | null
}

export interface ApiToken extends Actor {
  readonly tokenHash: Uint8Array
  readonly createdAt: number
  readonly expiresAt: number | null
}
