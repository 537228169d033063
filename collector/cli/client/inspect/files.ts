import { closeSync, mkdirSync, openSync, readSync, fstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KeepsealError } from '../../../../shared/errors.ts'

const MAX_BYTES = 8 * 1024 * 1024

/** The argument of every command that explains a file. */
export const inputFile = (what: string) => ({ description: `${what}; - is standard input.` })

/** A file that the user named, up to 8 MiB unless told otherwise; `-` is standard input. Throws `file.unreadable`. */
export function readInput(name: string, maxBytes = MAX_BYTES): Uint8Array {
  const path = name === '-' ? '/dev/stdin' : name
  try {
    const file = openSync(path, 'r')
    try {
      const { size } = fstatSync(file)
      if (size > maxBytes) throw new KeepsealError('file.unreadable', `${path} is larger than ${maxBytes} bytes`)
      const content = Buffer.alloc(maxBytes)
      let length = 0
      // Pipes have no size: read until the end, within the bound.
      for (let n = -1; n !== 0 && length < maxBytes; length += n)
        n = readSync(file, content, length, maxBytes - length, null)
      if (length === maxBytes && readSync(file, Buffer.alloc(1), 0, 1, null) > 0) {
        throw new KeepsealError('file.unreadable', `${path} is larger than ${maxBytes} bytes`)
      }
      return new Uint8Array(content.subarray(0, length))
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    throw new KeepsealError('file.unreadable', path, { cause })
  }
}

/** The same as text. */
export function readText(name: string): string {
  const bytes = readInput(name)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${name} is not UTF-8 text`, { cause })
  }
}

/** Writes files into a directory, which is made where it does not exist. Throws `file.unreadable`. */
export function writeOutputs(directory: string, files: Readonly<Record<string, Uint8Array>>): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${directory} cannot be made`, { cause })
  }
  for (const [name, content] of Object.entries(files)) writeOutput(join(directory, name), content)
}

/** Throws `file.unreadable`. */
export function writeOutput(path: string, content: Uint8Array): void {
  try {
    writeFileSync(path, content)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${path} cannot be written`, { cause })
  }
}
