import type { ApiRole } from '../../model/product.ts'
import type { VendorScope } from '../../model/scope.ts'

/** One line of the configuration: a value of the claim, a role, and the vendor that the role is bound to. */
export const CLAIM_ROLE = /^(\S(?:.*?\S)?)\s*=\s*(vendor|operator|certifier|auditor)(?:\s*@\s*(\S(?:.*\S)?))?$/

export interface ClaimRole {
  readonly value: string
  readonly role: ApiRole
  /** null: bound to no vendor. */
  readonly scope: VendorScope | null
}

/** Of rules that the configuration has checked. */
export function claimRolesOf(rules: readonly string[]): readonly ClaimRole[] {
  return rules.map((rule) => {
    const [, value = '', role = '', vendor] = CLAIM_ROLE.exec(rule) ?? []
    return { value, role: role as ApiRole, scope: vendor === undefined ? null : { vendor, products: null } }
  })
}

/** The first rule that a value of the claim fits; undefined: nothing is said about this person. Nobody has a role by default. */
export function roleOf(rules: readonly ClaimRole[], claim: unknown): ClaimRole | undefined {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
  return rules.find(({ value }) => values.includes(value))
}
