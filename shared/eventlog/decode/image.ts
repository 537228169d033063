import { ByteReader } from '../../bytes/reader.ts'
import { imageDevicePath } from './structures.ts'

/** EFI_IMAGE_LOAD_EVENT, PFP section 10.2.3: its fixed part. */
const HEADER_SIZE = 32

/** Where an image came from; an image that was loaded out of memory has no device path, and is known by its size. */
export function imageText(kind: string, data: Uint8Array): string | undefined {
  const path = imageDevicePath(data)
  if (path !== undefined) return `${kind} ${path}`
  if (data.length < HEADER_SIZE) return undefined
  const reader = new ByteReader(data, 'little-endian')
  reader.u64()
  return `${kind} of ${reader.u64()} bytes`
}
