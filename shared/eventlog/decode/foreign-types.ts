import { anyText } from './text.ts'

/**
 * Event types outside of the profile. None of them has a place in PCRs 0 to 7; the words are for people alone.
 * Intel TXT Software Development Guide, appendix F.2; TrenchBoot (Linux Secure Launch); go-eventlog; Dasharo.
 */
const FOREIGN_TYPES: ReadonlyMap<number, string> = new Map([
  [0x401, 'TXT PCR mapping'],
  [0x402, 'TXT SINIT module'],
  [0x403, 'TXT combined hash'],
  [0x404, 'TXT measured launch environment'],
  [0x40a, 'TXT BIOS registration data'],
  [0x40b, 'TXT CPU root of trust status'],
  [0x40c, 'TXT launch control policy settings'],
  [0x40d, 'TXT launch control policy elements'],
  [0x40e, 'TXT SMI transfer monitor'],
  [0x40f, 'TXT capabilities of system and SINIT'],
  [0x410, 'TXT public key of SINIT'],
  [0x411, 'TXT launch control policy'],
  [0x412, 'TXT launch control policy details'],
  [0x413, 'TXT launch control policy authorities'],
  [0x414, 'TXT NV index information'],
  [0x415, 'Boot Guard BIOS of a cold boot'],
  [0x416, 'Boot Guard key manifest'],
  [0x417, 'Boot Guard boot policy manifest'],
  [0x418, 'Boot Guard key manifest information'],
  [0x419, 'Boot Guard boot policy manifest information'],
  [0x41a, 'Boot Guard boot policy'],
  [0x4fe, 'TXT cap of a PCR'],
  [0x4ff, 'TXT random value'],
  [0x502, 'Linux Secure Launch'],
  [0x503, 'Linux Secure Launch, start'],
  [0x504, 'Linux Secure Launch, end'],
  [0x10000000, 'dynamic launch, by Google'],
  [0x00da0000, 'firmware setting, by Dasharo'],
])

/** Undefined for a type that is not known to be anybody's. */
export function describeForeignType(type: number, data: Uint8Array): string | undefined {
  const name = FOREIGN_TYPES.get(type)
  if (name === undefined) return undefined
  const text = anyText(data)
  return text === undefined ? `${name}, ${data.length} bytes` : `${name}: ${text}`
}
