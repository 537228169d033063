import { toHex } from '../../shared/bytes/bytes.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import { parsePublic, type PublicArea, type SigningScheme } from '../../shared/tpm/public.ts'
import { RESPONSE, TpmCommandError } from './command-error.ts'
import { readPublic } from './commands/keys.ts'
import { readNvIndex } from './commands/nv.ts'
import { signMessage } from './commands/signing.ts'
import { certificateIn, certifies } from './endorsement-key.ts'
import { ESAPI, UNAUTHORIZED } from './esapi.ts'
import type { Tpm } from './tpm.ts'

/** Where the manufacturer left the IDevID (TCG "TPM 2.0 Keys for Device Identity and Attestation", 0x81020000 and 0x01C90000). */
export interface IdevidPlace {
  /** Persistent handle of the key. */
  readonly handle: number
  /** NV index of the certificate, or the certificate itself in DER. */
  readonly certificate: number | Uint8Array
}

/** An IDevID whose certificate is of its key. */
export interface Idevid {
  /** As ESAPI has it. */
  readonly handle: number
  readonly name: Uint8Array
  readonly area: PublicArea
  readonly scheme: SigningScheme
  /** DER. */
  readonly certificate: Uint8Array
}

const hexadecimal = (handle: number): string => `0x${handle.toString(16).padStart(8, '0')}`
const unusable = (reason: string, cause?: unknown): KeepsealError =>
  new KeepsealError('tpm.idevid-unusable', reason, { cause })
const locked = (what: string, cause?: unknown): KeepsealError => new KeepsealError('tpm.idevid-locked', what, { cause })

const LOCKED: ReadonlySet<number | undefined> = new Set([
  RESPONSE.badAuthorization,
  RESPONSE.authorizationFailed,
  RESPONSE.authorizationUnavailable,
  RESPONSE.nvAuthorization,
])

/**
 * What has refused the empty password in this process. A TPM counts each such refusal towards its lockout: an agent that
 * asked again every ten minutes would lock out everybody else.
 */
const refusing = new Map<string, KeepsealError>()

/** Runs `use`, which authorizes something with the empty password, unless that was refused before. */
async function unlessRefused<T>(id: string, what: string, use: () => Promise<T>): Promise<T> {
  const before = refusing.get(id)
  if (before !== undefined) throw before
  try {
    return await use()
  } catch (error) {
    if (!(error instanceof TpmCommandError) || !LOCKED.has(error.response)) throw error
    const refusal = locked(`${what}: ${error.answer}`, error)
    if (error.response === RESPONSE.authorizationFailed) refusing.set(id, refusal)
    throw refusal
  }
}

/** The schemes that the collector takes: see docs/protocol.md. */
function schemeOf(area: PublicArea): SigningScheme {
  if (area.scheme === null) {
    if (area.type === 'rsa') return { scheme: 'rsassa', hash: 'sha256' }
    return { scheme: 'ecdsa', hash: area.curve === 'p384' ? 'sha384' : 'sha256' }
  }
  const { hash } = area.scheme
  if (hash !== 'sha256' && hash !== 'sha384') throw unusable(`its key signs with ${hash}`)
  return area.scheme
}

async function readKey(tpm: Tpm, handle: number): Promise<Pick<Idevid, 'handle' | 'name' | 'area'>> {
  const where = hexadecimal(handle)
  try {
    const [object] = await tpm.execute(ESAPI.handleOf, [handle, ...UNAUTHORIZED])
    const { publicBytes, name } = await readPublic(tpm, object)
    return { handle: object, name, area: parsePublic(publicBytes) }
  } catch (error) {
    if (error instanceof OutcomeError) throw unusable(`the key at ${where}: ${error.message}`, error)
    if (!(error instanceof TpmCommandError) || error.response !== RESPONSE.handle) throw error
    throw unusable(`there is no key at ${where}`, error)
  }
}

async function readCertificate(tpm: Tpm, place: IdevidPlace['certificate']): Promise<Uint8Array> {
  if (typeof place !== 'number') return place
  const where = `NV index ${hexadecimal(place)}`
  const stored = await unlessRefused(where, where, () => readNvIndex(tpm, place))
  if (stored === undefined) throw unusable(`there is nothing at ${where}`)
  const certificate = certificateIn(stored)
  if (certificate === undefined) throw unusable(`no certificate is at ${where}`)
  return certificate
}

/**
 * The IDevID, as far as it can be looked at without using it. Throws `tpm.idevid-unusable` where there is none or its
 * parts do not belong together, `tpm.idevid-locked` where one of them takes more than an empty password.
 */
export async function readIdevid(tpm: Tpm, place: IdevidPlace): Promise<Idevid> {
  const { handle, name, area } = await readKey(tpm, place.handle)
  const where = `the key at ${hexadecimal(place.handle)}`
  if (!area.attributes.has('sign')) throw unusable(`${where} does not sign`)
  if (area.type === 'rsa' && area.keyBits < 2048) throw unusable(`${where} is RSA of ${area.keyBits} bits`)
  const scheme = schemeOf(area)
  if (!area.attributes.has('userWithAuth')) throw locked(`${where} is used by its policy alone`)
  const certificate = await readCertificate(tpm, place.certificate)
  if (!certifies(certificate, area)) throw unusable(`the certificate is not of ${where}`)
  return { handle, name, area, scheme, certificate }
}

/** TPMT_SIGNATURE over the message. Throws `tpm.idevid-locked` where the key wants a password. */
export function signWithIdevid(tpm: Tpm, idevid: Idevid, message: Uint8Array): Promise<Uint8Array> {
  return unlessRefused(toHex(idevid.name), 'its key', () => signMessage(tpm, idevid, idevid.scheme, message))
}
