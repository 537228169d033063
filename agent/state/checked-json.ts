import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../shared/bytes/bytes.ts'

/** Small records on disk: a line of JSON and its SHA-256, so that a flipped bit does not pass for another number. */

const checksumOf = (line: string): string => createHash('sha256').update(line).digest('hex')

export function encodeChecked(record: unknown): Uint8Array {
  const line = JSON.stringify(record)
  return utf8(`${line}\n${checksumOf(line)}\n`)
}

/** Undefined for anything but a whole record of this shape. */
export function decodeChecked<const S extends v.GenericSchema>(
  schema: S,
  content: Uint8Array,
): v.InferOutput<S> | undefined {
  try {
    const [line = '', checksum, ...rest] = fromUtf8(content).split('\n')
    if (checksum !== checksumOf(line) || rest.join('') !== '') return undefined
    const result = v.safeParse(schema, JSON.parse(line))
    return result.success ? result.output : undefined
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined // not UTF-8, or not JSON
    throw error
  }
}
