import type { ApiRole } from '../../model/product.ts'

/** Everybody who has a token reads. */
export const READERS: readonly ApiRole[] = ['vendor', 'operator', 'certifier', 'auditor']
/** Who runs the fleet decides what belongs to it. */
export const FLEET: readonly ApiRole[] = ['vendor', 'operator']
/** Who lets people in: nobody gives more than he has. */
export const MANAGERS: readonly ApiRole[] = ['vendor', 'certifier']
/** Nobody certifies himself. */
export const CERTIFIER: readonly ApiRole[] = ['certifier']
/** Whom a product concerns; auditors read. */
export const CONCERNED: readonly ApiRole[] = ['vendor', 'operator', 'certifier']
