import { ascii, u16, u32, u64, u8, utf16, type EventSpec } from './event-log.ts'

/** The events of firmware that follows the TCG PC Client Platform Firmware Profile, and of what it starts. */

export function guid(text: string): Buffer {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-')
  const reversed = (hex: string) => Buffer.from(hex, 'hex').reverse()
  return Buffer.concat([reversed(a), reversed(b), reversed(c), Buffer.from(d + e, 'hex')])
}

export const GLOBAL = guid('8be4df61-93ca-11d2-aa0d-00e098032b8c')
export const SECURITY = guid('d719b2cb-3d3a-4596-a3bc-dad00e67656f')
export const SHIM = guid('605dab50-e046-4300-abb6-3dd810dd8b23')
export const OWNER = guid('77fa9abd-0359-4d32-bd60-28f4e78f784b')
const X509 = guid('a5c059a1-94e4-4aa7-87b5-ab155c2bf072')
const SHA256 = guid('c1c41626-504c-4092-aca9-41f936934328')

/** UEFI_VARIABLE_DATA. */
export const variableData = (name: string, vendor: Uint8Array, value: Uint8Array): Buffer =>
  Buffer.concat([vendor, u64(name.length), u64(value.length), utf16(name), value])

export const configuration = (name: string, vendor: Uint8Array, value: Uint8Array): EventSpec => ({
  pcr: 7,
  type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
  data: variableData(name, vendor, value),
})

export const authority = (name: string, vendor: Uint8Array, value: Uint8Array): EventSpec => ({
  pcr: 7,
  type: 'EV_EFI_VARIABLE_AUTHORITY',
  data: variableData(name, vendor, value),
})

export const separator = (pcr: number, value = 0): EventSpec => ({ pcr, type: 'EV_SEPARATOR', data: u32(value) })
export const action = (pcr: number, text: string): EventSpec => ({ pcr, type: 'EV_EFI_ACTION', data: ascii(text) })
export const noAction = (data: Uint8Array, pcr = 0): EventSpec => ({ pcr, type: 'EV_NO_ACTION', data })
export const startupLocality = (locality: number): EventSpec =>
  noAction(Buffer.concat([ascii('StartupLocality\0'), u8(locality)]))

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

/** Enough of a certificate to have names: there is no key in it, and nobody signed it. */
export function certificate(subject: string, issuer = subject): Buffer {
  const name = (text: string) =>
    der(0x30, der(0x31, der(0x30, der(0x06, Buffer.from([0x55, 4, 3])), der(0x0c, ascii(text)))))
  const tbs = der(
    0x30,
    der(0xa0, der(0x02, u8(2))),
    der(0x02, u8(1)),
    der(0x30),
    name(issuer),
    der(0x30),
    name(subject),
    der(0x30, Buffer.alloc(8)),
  )
  return der(0x30, tbs, der(0x30), der(0x03, u8(0)))
}

function signatureList(type: Uint8Array, signatures: readonly Uint8Array[]): Buffer {
  const size = 16 + (signatures[0]?.length ?? 0)
  const entries = signatures.flatMap((signature) => [OWNER, signature])
  return Buffer.concat([type, u32(28 + size * signatures.length), u32(0), u32(size), ...entries])
}
export const certificateList = (...certificates: readonly Uint8Array[]): Buffer =>
  Buffer.concat(certificates.map((one) => signatureList(X509, [one])))
export const hashList = (...hashes: readonly Uint8Array[]): Buffer => signatureList(SHA256, hashes)

export const DB_CERTIFICATE = certificate('Boot signer')
export const secureBootVariables = (enabled = 1): readonly EventSpec[] => [
  configuration('SecureBoot', GLOBAL, u8(enabled)),
  configuration('PK', GLOBAL, certificateList(certificate('Platform owner'))),
  configuration('KEK', GLOBAL, certificateList(certificate('Key exchange'))),
  configuration('db', SECURITY, certificateList(DB_CERTIFICATE, certificate('Other signer'))),
  configuration('dbx', SECURITY, hashList(Buffer.alloc(32, 1), Buffer.alloc(32, 2))),
]
export const dbAuthority = (signature: Uint8Array = DB_CERTIFICATE): EventSpec =>
  authority('db', SECURITY, Buffer.concat([OWNER, signature]))

/** A complete boot with Secure Boot on, as firmware following the profile logs it. */
export function goodBoot(version = '1.0'): EventSpec[] {
  return [
    { pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf16(`${version}\0`) },
    {
      pcr: 0,
      type: 'EV_EFI_PLATFORM_FIRMWARE_BLOB',
      data: Buffer.concat([u64(0x1000), u64(0x2000)]),
      hashed: ascii('firmware'),
    },
    ...secureBootVariables(),
    separator(7),
    { pcr: 1, type: 'EV_EFI_VARIABLE_BOOT', data: variableData('BootOrder', GLOBAL, u16(1)) },
    action(4, 'Calling EFI Application from Boot Option'),
    ...[0, 1, 2, 3, 4, 5, 6].map((pcr) => separator(pcr)),
    dbAuthority(),
    { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: Buffer.alloc(32), hashed: ascii('boot loader') },
    { pcr: 11, type: 'EV_IPL', data: utf16('.linux\0'), hashed: ascii('.linux\0') },
    { pcr: 11, type: 'EV_IPL', data: utf16('.linux\0'), hashed: ascii('kernel') },
    action(5, 'Exit Boot Services Invocation'),
    action(5, 'Exit Boot Services Returned with Success'),
  ]
}
