import * as ed from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect, it } from 'vitest'
import { concat, fromHex } from '../../../shared/bytes/bytes.ts'
import { ecdsaKey, ed25519Key, rsaKey } from '../../../shared/crypto/node.ts'
import { fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'

ed.hashes.sha512 = sha512

interface Case {
  readonly tcId: number
  readonly comment: string
  readonly msg: string
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface File<Key> {
  readonly testGroups: readonly { readonly publicKey: Key; readonly sha?: string; readonly tests: readonly Case[] }[]
}

const read = <Key>(name: string) => (readJsonFixture('wycheproof', `${name}.json`) as File<Key>).testGroups

/** Runs every case of a file and returns those whose verdict is not the wanted one. Fails when there were none. */
function wrongVerdicts<Key>(
  name: string,
  verifier: (key: Key) => (message: Uint8Array, signature: Uint8Array) => boolean,
  acceptable: boolean,
): string[] {
  const wrong: string[] = []
  let cases = 0
  for (const { publicKey, tests } of read<Key>(name)) {
    const verify = verifier(publicKey)
    for (const { tcId, comment, msg, sig, result } of tests) {
      const wanted = result === 'acceptable' ? acceptable : result === 'valid'
      if (verify(fromHex(msg), fromHex(sig)) !== wanted) wrong.push(`${tcId} ${result}: ${comment}`)
      cases++
    }
  }
  expect(cases).toBeGreaterThan(100)
  return wrong
}

const fieldElement = (hex: string) => fromHex(hex.padStart(64, '0').slice(-64))

/** One DER INTEGER of a signature, as 32 bytes, if it is strictly encoded and fits. */
function derInteger(der: Uint8Array): { value: Uint8Array; rest: Uint8Array } | null {
  const length = der[1] ?? 0
  const value = der.subarray(2, 2 + length)
  const first = value[0]
  if (der[0] !== 0x02 || value.length !== length || first === undefined || first >= 0x80 || length > 33) return null
  const isPadded = first === 0 && length > 1
  if (isPadded && (value[1] ?? 0) < 0x80) return null
  const magnitude = isPadded ? value.subarray(1) : value
  if (magnitude.length > 32) return null
  return { value: concat(new Uint8Array(32 - magnitude.length), magnitude), rest: der.subarray(2 + length) }
}

/** r || s of a DER signature, or null if the encoding is not DER or a number does not fit into 32 bytes. */
function fromDer(der: Uint8Array): Uint8Array | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 0x81) return null
  const r = derInteger(der.subarray(2))
  const s = r && derInteger(r.rest)
  return r && s && s.rest.length === 0 ? concat(r.value, s.value) : null
}

fixturesDescribe('wycheproof', 'Wycheproof', () => {
  it('Ed25519 on node:crypto', () => {
    const verifier = ({ pk }: { pk: string }) => ed25519Key(fromHex(pk)).verify
    expect(wrongVerdicts('ed25519_test', verifier, false)).toEqual([])
  })

  it('Ed25519 on @noble, which browsers use, with the same verdicts', () => {
    const verifier =
      ({ pk }: { pk: string }) =>
      (message: Uint8Array, signature: Uint8Array) => {
        try {
          return ed.verify(signature, message, fromHex(pk), { zip215: false })
        } catch {
          return false
        }
      }
    expect(wrongVerdicts('ed25519_test', verifier, false)).toEqual([])
  })

  it('ECDSA P-256 with SHA-256', () => {
    const verifier = ({ wx, wy }: { wx: string; wy: string }) => {
      const key = ecdsaKey('p256', 'sha256', fieldElement(wx), fieldElement(wy))
      return (message: Uint8Array, der: Uint8Array) => {
        const signature = fromDer(der)
        return signature !== null && key.verify(message, signature)
      }
    }
    expect(wrongVerdicts('ecdsa_secp256r1_sha256_test', verifier, false)).toEqual([])
  })

  it('RSASSA with 2048 bits and SHA-256', () => {
    const verifier = ({ modulus, publicExponent }: { modulus: string; publicExponent: string }) => {
      const n = fromHex(modulus.replace(/^00/, ''))
      return rsaKey('rsassa', 'sha256', n, Number.parseInt(publicExponent, 16)).verify
    }
    // The one `acceptable` case leaves out the NULL of the digest's parameters, which RFC 8017 section 9.2 requires.
    expect(wrongVerdicts('rsa_signature_2048_sha256_test', verifier, false)).toEqual([])
  })
})
