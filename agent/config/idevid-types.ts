import * as v from 'valibot'
import { isPrintable } from '../../shared/text/printable.ts'
import type { ValueType } from '../../shared/config/value-types.ts'

/** Persistent objects, and NV indices: TPM 2.0 Part 2, section 7.2 (TPM_HT). */
const PERSISTENT = /^0x81[0-9a-f]{6}$/i
const NV_INDEX = /^nv:(0x01[0-9a-f]{6})$/i

function matching(requirement: string, accepts: (text: string) => boolean): ValueType<string> {
  return {
    schema: v.pipe(
      v.string(),
      v.check((text) => text === '' || accepts(text)),
    ),
    requirement: `${requirement}, or empty`,
    fromText: (text) => text,
  }
}

/** Handle of a persistent key in hexadecimal, or empty. */
export const persistentHandle = (): ValueType<string> =>
  matching('a persistent handle in quotes such as "0x81020000"', (text) => PERSISTENT.test(text))

const isPath = (text: string): boolean => text.startsWith('/') && text.length <= 4096 && isPrintable(text)

/** Where a certificate is: an absolute path, or `nv:` and an NV index in hexadecimal; or empty. */
export const certificatePlace = (): ValueType<string> =>
  matching('an absolute path, or an NV index such as nv:0x01c90000', (text) => isPath(text) || NV_INDEX.test(text))

/** The NV index that a place names; undefined for a file. */
export function nvIndexOf(place: string): number | undefined {
  const index = NV_INDEX.exec(place)?.[1]
  return index === undefined ? undefined : Number(index)
}
