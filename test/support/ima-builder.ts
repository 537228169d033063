import { createHash, createPublicKey, generateKeyPairSync, privateEncrypt, publicDecrypt } from 'node:crypto'
import type { HashAlgorithm } from '../../shared/crypto/crypto.ts'
import type { ImaSigner } from '../../shared/ima/policy.ts'
import type { PaddingMode } from '../../shared/ima/types.ts'

/** Builds IMA measurement lists byte by byte as the kernel does, and replays them by an implementation of its own. */

export interface ImaSpec {
  readonly path: string | Buffer
  readonly template?: 'ima' | 'ima-ng' | 'ima-sig' | 'ima-buf' | 'ima-ngv2' | 'ima-sigv2' | 'ima-modsig'
  /** The measured content. */
  readonly content?: string
  /** As it is to stand in the list, instead of the digest of the content. */
  readonly digest?: Buffer
  readonly algorithm?: string
  readonly kind?: 'ima' | 'verity'
  readonly signature?: Buffer
  readonly buffer?: Buffer
  readonly violation?: boolean
  readonly pcr?: number
}

export type Order = 'little-endian' | 'big-endian'

const sizes: Readonly<Record<HashAlgorithm, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }
const digestOf = (algorithm: string, data: Uint8Array): Buffer => createHash(algorithm).update(data).digest()

export function u32(value: number, order: Order = 'little-endian'): Buffer {
  const bytes = Buffer.alloc(4)
  if (order === 'little-endian') bytes.writeUInt32LE(value)
  else bytes.writeUInt32BE(value)
  return bytes
}

const nameOf = ({ path }: ImaSpec): Buffer => (typeof path === 'string' ? Buffer.from(path) : path)
const templateOf = ({ template = 'ima-ng' }: ImaSpec): string => template
const isLegacy = (spec: ImaSpec): boolean => templateOf(spec) === 'ima'
const algorithmOf = (spec: ImaSpec): string => spec.algorithm ?? (isLegacy(spec) ? 'sha1' : 'sha256')

export function fileDigest(spec: ImaSpec): Buffer {
  if (spec.digest !== undefined) return spec.digest
  const digest = digestOf(
    algorithmOf(spec),
    Buffer.from(spec.content ?? `content of ${nameOf(spec).toString('latin1')}`),
  )
  return spec.violation === true ? Buffer.alloc(digest.length) : digest
}

function prefixOf(spec: ImaSpec): string {
  return `${templateOf(spec).endsWith('v2') ? `${spec.kind ?? 'ima'}:` : ''}${algorithmOf(spec)}:`
}

function fieldsOf(spec: ImaSpec): Buffer[] {
  const name = Buffer.concat([nameOf(spec), Buffer.alloc(1)])
  const digest = Buffer.concat([Buffer.from(`${prefixOf(spec)}\0`), fileDigest(spec)])
  const signature = spec.signature ?? Buffer.alloc(0)
  if (templateOf(spec).startsWith('ima-sig')) return [digest, name, signature]
  if (templateOf(spec) === 'ima-buf') return [digest, name, spec.buffer ?? Buffer.alloc(0)]
  if (templateOf(spec) === 'ima-modsig') return [digest, name, signature, digest, Buffer.from('a PKCS #7 message')]
  return [digest, name]
}

/** What the kernel hashes. */
export function hashedData(spec: ImaSpec, order: Order = 'little-endian'): Buffer {
  if (isLegacy(spec)) return Buffer.concat([fileDigest(spec), nameOf(spec), Buffer.alloc(256 - nameOf(spec).length)])
  return Buffer.concat(fieldsOf(spec).flatMap((field) => [u32(field.length, order), field]))
}

const listedDigest = (spec: ImaSpec, order: Order, hash: HashAlgorithm): Buffer =>
  spec.violation === true ? Buffer.alloc(sizes[hash]) : digestOf(hash, hashedData(spec, order))

export function binaryEntry(spec: ImaSpec, order: Order = 'little-endian', hash: HashAlgorithm = 'sha1'): Buffer {
  const template = Buffer.from(templateOf(spec))
  const name = nameOf(spec)
  const data = hashedData(spec, order)
  return Buffer.concat([
    u32(spec.pcr ?? 10, order),
    listedDigest(spec, order, hash),
    u32(template.length, order),
    template,
    ...(isLegacy(spec) ? [fileDigest(spec), u32(name.length, order), name] : [u32(data.length, order), data]),
  ])
}

export const binaryList = (specs: readonly ImaSpec[], order?: Order, hash?: HashAlgorithm): Buffer =>
  Buffer.concat(specs.map((spec) => binaryEntry(spec, order, hash)))

export function asciiLine(spec: ImaSpec, order: Order = 'little-endian', hash: HashAlgorithm = 'sha1'): Buffer {
  const digest = `${isLegacy(spec) ? '' : prefixOf(spec)}${fileDigest(spec).toString('hex')}`
  const others = isLegacy(spec)
    ? []
    : fieldsOf(spec)
        .slice(2)
        .map((field, index) => (index === 1 ? digest : field.toString('hex')))
  const head = `${String(spec.pcr ?? 10).padStart(2)} ${listedDigest(spec, order, hash).toString('hex')} `
  return Buffer.concat([
    Buffer.from(`${head}${templateOf(spec)} ${digest} `),
    nameOf(spec),
    Buffer.from(others.map((field) => ` ${field}`).join('')),
    Buffer.from('\n'),
  ])
}

export const asciiList = (specs: readonly ImaSpec[], order?: Order, hash?: HashAlgorithm): Buffer =>
  Buffer.concat(specs.map((spec) => asciiLine(spec, order, hash)))

/** PCR 10 after the entries, as the kernel of that mode would have extended it. */
export function pcr10Of(
  specs: readonly ImaSpec[],
  bank: HashAlgorithm = 'sha256',
  mode: PaddingMode = 'per-bank',
  order: Order = 'little-endian',
): Buffer {
  const hash = mode === 'per-bank' ? bank : 'sha1'
  return specs.reduce<Buffer>((value, spec) => {
    const digest = spec.violation === true ? Buffer.alloc(sizes[hash], 0xff) : digestOf(hash, hashedData(spec, order))
    return digestOf(bank, Buffer.concat([value, digest, Buffer.alloc(sizes[bank] - digest.length)]))
  }, Buffer.alloc(sizes[bank]))
}

/** PCRs 0 to 9 of a boot, and the digest over the first of them that the kernel begins its list with. */
export const bootPcrs = (bank: HashAlgorithm): ReadonlyMap<number, Uint8Array> =>
  new Map(Array.from({ length: 10 }, (_, pcr) => [pcr, digestOf(bank, Buffer.from(`PCR ${pcr}`))]))

export function bootAggregate(bank: HashAlgorithm = 'sha256', last = bank === 'sha1' ? 7 : 9): ImaSpec {
  const values = [...bootPcrs(bank).values()].slice(0, last + 1)
  return { path: 'boot_aggregate', algorithm: bank, digest: digestOf(bank, Buffer.concat(values)) }
}

/** A short boot: its aggregate, files, one file twice with different contents, and a buffer. */
export const goodList = (): ImaSpec[] => [
  bootAggregate(),
  { path: '/init' },
  { path: '/usr/bin/gateway', template: 'ima-sig' },
  { path: '/etc/gateway.conf', content: 'first' },
  { path: '/etc/gateway.conf', content: 'second' },
  { path: 'kexec-cmdline', template: 'ima-buf', buffer: Buffer.from('root=/dev/sda1') },
  { path: '/usr/lib/libc.so.6' },
]

/** A key that signs files as evmctl does: RSA PKCS #1 v1.5 over a digest, in the kernel's header of version 2. */
export function fileSigner(keyId: string) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const publicKey = createPublicKey(privateKey)
  const digestInfo = (digest: Uint8Array) =>
    Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest])
  const signer: ImaSigner = {
    keyId,
    verify: ({ value }, signature) => {
      try {
        return publicDecrypt(publicKey, signature).equals(digestInfo(value))
      } catch {
        return false
      }
    },
  }
  const sign = (digest: Uint8Array): Buffer =>
    signatureXattr({ keyId, bytes: privateEncrypt(privateKey, digestInfo(digest)) })
  return { signer, sign }
}

export function signatureXattr(parts: {
  readonly keyId: string
  readonly bytes: Buffer
  readonly kind?: number
  readonly version?: number
  readonly algorithm?: number
}): Buffer {
  const { keyId, bytes, kind = 3, version = 2, algorithm = 4 } = parts
  const size = Buffer.from([bytes.length >> 8, bytes.length & 255])
  return Buffer.concat([Buffer.from([kind, version, algorithm]), Buffer.from(keyId, 'hex'), size, bytes])
}
