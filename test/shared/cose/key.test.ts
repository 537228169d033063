import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey, encodeCoseKey, type CoseKey } from '../../../shared/cose/key.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { outcomeOf } from '../../support/outcome.ts'

const x = '65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d'
const y = '1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c'
const p256: CoseKey = { curve: 'P-256', x: fromHex(x), y: fromHex(y) }
const ed25519: CoseKey = { curve: 'Ed25519', x: fromHex(x) }

describe('a COSE key', () => {
  it('has the thumbprint of RFC 9679 section 6', () => {
    expect(toHex(coseKeyThumbprint(p256, hash))).toBe(
      '496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec',
    )
  })

  it('is hashed over kty, crv and x alone for Ed25519', () => {
    const required = fromHex(`a30101${'2006'}215820${x}`)
    expect(toHex(coseKeyThumbprint(ed25519, hash))).toBe(createHash('sha256').update(required).digest('hex'))
  })

  it.each([p256, ed25519])('of curve $curve survives the wire', (key) => {
    expect(decodeCoseKey(encodeCoseKey(key))).toEqual(key)
  })

  it.each([
    ['no bytes', '', 'cbor.truncated'],
    ['no map', '80', 'cose.key-malformed'],
    ['no key type', `a22006215820${x}`, 'cose.key-malformed'],
    ['another curve (Ed448)', `a301012007215820${x}`, 'cose.key-malformed'],
    ['another curve (P-384)', `a401022002215820${x}225820${y}`, 'cose.key-malformed'],
    ['a curve of another key type', `a301022006215820${x}`, 'cose.key-malformed'],
    ['a symmetric key', 'a201042006', 'cose.key-malformed'],
    ['no x', 'a201012006', 'cose.key-malformed'],
    ['a short x', `a30101200621581f${x.slice(2)}`, 'cose.key-malformed'],
    ['a long x', `a301012006215821${x}00`, 'cose.key-malformed'],
    ['no y', `a301022001215820${x}`, 'cose.key-malformed'],
    ['a compressed y', `a401022001215820${x}22f5`, 'cose.key-malformed'],
    ['a y that Ed25519 does not have', `a401012006215820${x}225820${y}`, 'cose.key-malformed'],
    ['the private part', `a401012006215820${x}235820${y}`, 'cose.key-malformed'],
    ['members out of order', `a320060101215820${x}`, 'cbor.unsorted-keys'],
    ['bytes behind it', `a301012006215820${x}00`, 'cbor.trailing-bytes'],
  ])('is refused with %s', (_fault, hex, code) => {
    expect(outcomeOf(() => decodeCoseKey(fromHex(hex)))).toBe(code)
  })
})
