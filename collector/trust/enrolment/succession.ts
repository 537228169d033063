import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import type { SuccessionAnswer } from '../../../shared/evidence/renewal.ts'
import type { EnrolmentDependencies } from './dependencies.ts'

/** Nothing in it is secret, and it is signed: a device that trusts no certificate of ours any more gets it as well. */
export function tellSuccession({ keys }: EnrolmentDependencies): SuccessionAnswer {
  return { succession: keys.succession === null ? null : toBase64Url(keys.succession.bytes) }
}
