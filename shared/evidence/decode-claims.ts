import { decodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import { equal, fitsUtf8, fromUtf8 } from '../bytes/bytes.ts'
import { OutcomeError } from '../errors.ts'
import { claimKey, evidenceProfile, type Claims, type PostureMap } from './claims.ts'
import { readState } from './state.ts'

const DIGEST = { length: 32 }
const MAX_SECTIONS = 64
const KEYS = Object.values(claimKey)

/**
 * Reads a claims-set (keepseal.cddl). Throws OutcomeError `claims.malformed`, `claims.profile-mismatch`, or `cbor.*`.
 * The claims are the device's word: whether it said so is for the signature over them to prove.
 */
export function decodeClaims(bytes: Uint8Array): Claims {
  const claims = field(decodeCbor(bytes), 'claims.malformed', 'claims').requireOnly(KEYS)
  const profile = claims.at(claimKey.profile, 'eat_profile').bytes({ min: 1, max: 64 })
  if (!equal(profile, evidenceProfile)) throw new OutcomeError('claims.profile-mismatch')
  const [softwareVersion] = claims.at(claimKey.softwareVersion, 'swversion').tuple('version')
  const { nonce, challenge } = nonces(claims.at(claimKey.nonce, 'eat_nonce'))
  return {
    issuedAt: claims.at(claimKey.issuedAt, 'iat').uint(),
    nonce,
    challenge,
    ueid: claims.at(claimKey.ueid, 'ueid').bytes({ length: 17 }),
    hardwareModel: hardwareModel(claims.maybe(claimKey.hardwareModel, 'hwmodel')),
    uptime: claims.at(claimKey.uptime, 'uptime').uint(),
    bootCount: claims.maybe(claimKey.bootCount, 'bootcount')?.uint() ?? null,
    bootSeed: claims.at(claimKey.bootSeed, 'bootseed').bytes({ min: 16, max: 64 }),
    softwareName: shortText(claims.at(claimKey.softwareName, 'swname')),
    softwareVersion: shortText(softwareVersion),
    session: claims.at(claimKey.session, 'session').bytes({ length: 16 }),
    sequence: claims.at(claimKey.sequence, 'seq').uint({ max: 2 ** 48 }),
    previous: claims.at(claimKey.previous, 'prev').nullable()?.bytes(DIGEST) ?? null,
    postureDigest: claims.at(claimKey.postureDigest, 'posture').bytes(DIGEST),
    posture: postureMap(claims.maybe(claimKey.posture, 'posture-map')),
    state: readState(claims.at(claimKey.state, 'state')),
  }
}

/** The epoch's alone, or before that of a challenge. */
function nonces(item: CborField): Pick<Claims, 'nonce' | 'challenge'> {
  if (!Array.isArray(item.value)) return { nonce: item.bytes(DIGEST), challenge: null }
  const [epoch, challenge] = item.tuple('epoch', 'challenge')
  return { nonce: epoch.bytes(DIGEST), challenge: challenge.bytes(DIGEST) }
}

function shortText(item: CborField): string {
  const text = item.text({ min: 1, max: 64 })
  return fitsUtf8(text, 64) ? text : item.refuse('more than 64 bytes')
}

function hardwareModel(model: CborField | undefined): string | null {
  if (model === undefined) return null
  try {
    return fromUtf8(model.bytes({ min: 1, max: 32 }))
  } catch (error) {
    if (error instanceof OutcomeError) throw error
    return model.refuse('not UTF-8')
  }
}

function postureMap(map: CborField | undefined): PostureMap | null {
  if (map === undefined) return null
  const posture = new Map<string, Uint8Array>()
  for (const [id, digest] of map.entries({ min: 1, max: MAX_SECTIONS })) {
    if (typeof id !== 'string' || !/^[a-z][a-z0-9-]{0,31}$/.test(id)) return map.refuse('a section id is not a name')
    posture.set(id, digest.bytes(DIGEST))
  }
  return posture
}
