import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { concat, fromBase64Url, toBase64Url, utf8 } from '../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../shared/cbor/codec.ts'
import { decodeCbor } from '../../shared/cbor/codec.ts'
import type { CborMap } from '../../shared/cbor/value.ts'
import { encodeCoseKey, type CoseKey } from '../../shared/cose/key.ts'
import type { Assertion } from '../../shared/webauthn/assertion.ts'
import { algorithmOf } from '../../shared/webauthn/authenticator-data.ts'

const sha256 = (data: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(data).digest())

/** What a test may have come out otherwise than an authenticator and a browser would make it. */
export interface Tampering {
  readonly flags?: number
  readonly rpId?: string
  readonly counter?: number
  readonly clientData?: Readonly<Record<string, unknown>>
  readonly trailing?: Uint8Array
}

/** An authenticator with its browser, in software and for tests alone: it asks nobody whether to sign. */
export class SoftwareAuthenticator {
  readonly key: CoseKey
  readonly relyingParty = { id: 'keepseal.example', origins: ['https://keepseal.example'] }
  counter = 1
  readonly #privateKey: KeyObject

  constructor(curve: CoseKey['curve']) {
    const pair = curve === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' }) as { x?: string; y?: string }
    this.#privateKey = pair.privateKey
    this.key = curve === 'P-256' ? { curve, x: fromBase64Url(x), y: fromBase64Url(y) } : { curve, x: fromBase64Url(x) }
  }

  get credentialId(): Uint8Array {
    return sha256(encodeCoseKey(this.key)).subarray(0, 16)
  }

  /** `navigator.credentials.get` with user verification. */
  get(challenge: Uint8Array, tampering: Tampering = {}): Assertion {
    const clientDataJson = this.#clientData('webauthn.get', challenge, tampering)
    const authenticatorData = this.#authenticatorData(0x05, tampering)
    return { authenticatorData, clientDataJson, signature: this.#sign(authenticatorData, clientDataJson) }
  }

  /** `navigator.credentials.create`, without attestation. */
  create(challenge: Uint8Array, tampering: Tampering = {}): Omit<Assertion, 'signature'> {
    const id = this.credentialId
    const cose = new Map([...(decodeCbor(encodeCoseKey(this.key)) as CborMap), [3, algorithmOf(this.key)] as const])
    const attested = concat(new Uint8Array(16), Uint8Array.of(0, id.length), id, encodeCbor(cose))
    const authenticatorData = this.#authenticatorData(0x45, { trailing: attested, ...tampering })
    return { authenticatorData, clientDataJson: this.#clientData('webauthn.create', challenge, tampering) }
  }

  #clientData(type: string, challenge: Uint8Array, { clientData = {} }: Tampering): Uint8Array {
    const [origin] = this.relyingParty.origins
    return utf8(JSON.stringify({ type, challenge: toBase64Url(challenge), origin, crossOrigin: false, ...clientData }))
  }

  #authenticatorData(usual: number, { flags = usual, rpId, counter, trailing }: Tampering): Uint8Array {
    const count = new DataView(new ArrayBuffer(4))
    count.setUint32(0, counter ?? this.counter++)
    const hash = sha256(utf8(rpId ?? this.relyingParty.id))
    return concat(hash, Uint8Array.of(flags), new Uint8Array(count.buffer), trailing ?? new Uint8Array())
  }

  #sign(authenticatorData: Uint8Array, clientDataJson: Uint8Array): Uint8Array {
    const signed = concat(authenticatorData, sha256(clientDataJson))
    return Uint8Array.from(sign(this.key.curve === 'P-256' ? 'sha256' : null, signed, this.#privateKey))
  }
}
