import { encodeStrings } from '../cbor/strings.ts'
import { ueidBytes, type Ueid } from './identifiers.ts'

/** Message roles: the first half of every external_aad, and the name of the rule in keepseal.cddl. */
export type MessageRole =
  | 'evidence'
  | 'section'
  | 'receipt'
  | 'request'
  | 'challenge'
  | 'result'
  | 'epoch'
  | 'restore-point'
  | 'successor'
  | 'decision'
  | 'certificate-status'
  | 'report'
  | 'mirror-page'
  | 'advisory-bundle'

export const contentType = (role: MessageRole): string => `application/vnd.keepseal.${role}+cbor`

/** external_aad = dCBOR [message role, ueid / null]: what is signed for one role or device is void for another. */
export function messageAad(role: MessageRole, ueid: Ueid | null): Uint8Array {
  return encodeStrings([role, ueid === null ? null : ueidBytes(ueid)])
}
