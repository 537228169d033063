import { concat } from '../../shared/bytes/bytes.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import { parsePublic, parsePublicArea, type PublicArea } from '../../shared/tpm/public.ts'
import { atCurveWidth } from '../../shared/tpm/signature.ts'
import { ENDORSEMENT_KEY_PROFILES, withNonce, type EndorsementKeyProfile } from '../../shared/tpm/templates.ts'
import { TpmCommandError } from './command-error.ts'
import { createPrimary } from './commands/keys.ts'
import { readNvIndex } from './commands/nv.ts'
import type { Tpm } from './tpm.ts'

/** What identifies this TPM. The key itself is made again from its template whenever it is needed. */
export interface EndorsementKey {
  readonly profile: EndorsementKeyProfile['id']
  readonly template: PublicArea
  readonly publicArea: PublicArea
  /** TPM2B_PUBLIC. */
  readonly publicBytes: Uint8Array
  /** X.509 in DER; undefined where NV holds none for this key, as with AMD's firmware TPM. */
  readonly certificate: Uint8Array | undefined
  /** NV indices whose certificate is for a key that this TPM does not make: for an operator to look at. */
  readonly foreignCertificates: readonly number[]
}

/**
 * The first key of `profiles` that the TPM has a certificate for, or the first that it can make where it has none.
 * The templates and nonces that the manufacturer may have left in NV are used (TCG EK Credential Profile, 2.2).
 * Throws `tpm.hierarchy-locked`, or `tpm.command-failed` when the TPM makes none of these keys.
 */
export async function readEndorsementKey(
  tpm: Tpm,
  profiles: readonly EndorsementKeyProfile[] = ENDORSEMENT_KEY_PROFILES,
): Promise<EndorsementKey> {
  const foreignCertificates: number[] = []
  for (const profile of profiles) {
    const stored = await readNvIndex(tpm, profile.certificateIndex)
    const certificate = stored === undefined ? undefined : certificateIn(stored)
    if (certificate === undefined) continue
    const key = await makeKey(tpm, profile)
    if (!(key instanceof Error) && certifies(certificate, key.publicArea)) {
      return { ...key, certificate, foreignCertificates }
    }
    foreignCertificates.push(profile.certificateIndex)
  }
  let refusal: Error | undefined
  for (const profile of profiles) {
    const key = await makeKey(tpm, profile)
    if (!(key instanceof Error)) return { ...key, certificate: undefined, foreignCertificates }
    refusal ??= key
  }
  throw refusal ?? new KeepsealError('tpm.command-failed', 'no endorsement key profile')
}

type MadeKey = Omit<EndorsementKey, 'certificate' | 'foreignCertificates'>

/** Makes the key and lets go of it again. Returns the refusal of a TPM that does not have such keys. */
async function makeKey(tpm: Tpm, profile: EndorsementKeyProfile): Promise<MadeKey | TpmCommandError> {
  const template = await templateOf(tpm, profile)
  try {
    const { handle, publicBytes } = await createPrimary(tpm, template)
    await tpm.flush(handle)
    return { profile: profile.id, template, publicArea: parsePublic(publicBytes), publicBytes }
  } catch (error) {
    if (error instanceof TpmCommandError) return error
    throw error
  }
}

/** A template or nonce in NV that cannot be used is passed over: the certificate tells whether the key is right. */
async function templateOf(tpm: Tpm, profile: EndorsementKeyProfile): Promise<PublicArea> {
  const stored = await readNvIndex(tpm, profile.templateIndex)
  const template = (stored === undefined ? undefined : readable(() => parsePublicArea(stored))) ?? profile.template
  const nonce = profile.nonceIndex === null ? undefined : await readNvIndex(tpm, profile.nonceIndex)
  return (nonce === undefined ? undefined : readable(() => withNonce(template, nonce))) ?? template
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof OutcomeError || error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * The DER certificate at the start of an NV index, which may be longer than its content. Undefined where it does not
 * begin with a SEQUENCE (ITU-T X.690, 8.1.3) that fits.
 */
export function certificateIn(stored: Uint8Array): Uint8Array | undefined {
  const [tag, first = 0] = stored
  if (tag !== 0x30) return undefined
  const lengthBytes = first < 0x80 ? 0 : first - 0x80
  if (lengthBytes > 3 || first === 0x80) return undefined
  const content = [...stored.subarray(2, 2 + lengthBytes)].reduce((value, byte) => value * 256 + byte, 0)
  const end = 2 + lengthBytes + (lengthBytes === 0 ? first : content)
  return end > stored.length ? undefined : stored.slice(0, end)
}

/**
 * Whether the certificate speaks of this key. It only chooses what to send, the collector is the judge; so it looks
 * for the key's bytes, which also works for certificates whose key OpenSSL does not import (RSAES-OAEP).
 */
export function certifies(certificate: Uint8Array, area: PublicArea): boolean {
  const key =
    area.type === 'rsa'
      ? area.unique
      : concat(atCurveWidth(area.unique.x, area.curve), atCurveWidth(area.unique.y, area.curve))
  return Buffer.from(certificate).includes(Buffer.from(key))
}
