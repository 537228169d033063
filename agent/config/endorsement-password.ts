import { KeepsealError } from '../../shared/errors.ts'
import { readPrivateFile } from '../state/files.ts'

/** The content of the file without the line end that editors add; undefined for no file. Throws `file.unreadable`. */
export async function readEndorsementPassword(file: string): Promise<Uint8Array | undefined> {
  if (file === '') return undefined
  const content = await readPrivateFile(file, 1024)
  if (content === undefined) throw new KeepsealError('file.unreadable', file)
  const end = content.at(-1) === 0x0a ? content.length - 1 : content.length
  return content.subarray(0, end)
}
