import { concat, fromHex, toHex } from '../../bytes/bytes.ts'

/** Where the bytes of the text stand in an EFI_GUID, UEFI 2.10 appendix A: its first three fields are little-endian. */
const BYTE_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

/** The text form of the first 16 bytes. */
export function guidText(bytes: Uint8Array): string {
  const ordered = new Uint8Array(BYTE_ORDER.length)
  for (let i = 0; i < ordered.length; i++) ordered[i] = bytes[BYTE_ORDER[i] ?? i] ?? 0
  const hex = toHex(ordered)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The 16 bytes of a GUID in text form. Throws RangeError for other text. */
export function guidBytes(text: string): Uint8Array {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-')
  const reversed = (field: string): Uint8Array => fromHex(field).reverse()
  return concat(reversed(a), reversed(b), reversed(c), fromHex(d), fromHex(e))
}

/** Vendor GUIDs of variables, as bytes: comparing them costs less than their text. */
export const GLOBAL_VARIABLE = guidBytes('8be4df61-93ca-11d2-aa0d-00e098032b8c')
export const IMAGE_SECURITY_DATABASE = guidBytes('d719b2cb-3d3a-4596-a3bc-dad00e67656f')
export const SHIM_LOCK = guidBytes('605dab50-e046-4300-abb6-3dd810dd8b23')

/** Tables and partition types. */
const NAMES: Readonly<Record<string, string>> = {
  'eb9d2d30-2d88-11d3-9a16-0090273fc14d': 'ACPI 1.0 table',
  '8868e871-e4f1-11d3-bc22-0080c73c8881': 'ACPI 2.0 table',
  'eb9d2d31-2d88-11d3-9a16-0090273fc14d': 'SMBIOS table',
  'f2fd1544-9794-4a2c-992e-e5bbcf20e394': 'SMBIOS 3.0 table',
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'EFI system partition',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'Linux file system',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'Linux root (x86-64)',
  'b921b045-1df0-41c3-af44-4c6f280d3fae': 'Linux root (ARM 64-bit)',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'Linux swap',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'Linux LVM',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172': 'Linux extended boot',
  '21686148-6449-6e6f-744e-656564454649': 'BIOS boot partition',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae': 'Microsoft reserved',
  'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7': 'basic data',
}

/** What a well-known GUID stands for, else the GUID. */
export const guidName = (guid: string): string => NAMES[guid] ?? guid
