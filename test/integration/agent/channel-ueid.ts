import type { Ueid } from '../../../shared/evidence/identifiers.ts'

export const UEID = `01${'ab'.repeat(16)}` as Ueid
