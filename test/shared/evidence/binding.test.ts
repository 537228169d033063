import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import {
  enrolmentBinding,
  enrolmentProofAad,
  idevidStatement,
  tokenHash,
  type EnrolmentTerms,
} from '../../../shared/evidence/binding.ts'

const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte)

const TERMS: EnrolmentTerms = {
  collectorKeyThumbprint: filled(1),
  challenge: filled(2),
  deviceKeyThumbprint: filled(3),
  tlsKeyHash: filled(4),
  ekName: filled(5, 34),
  product: { vendor: 'Acme', model: 'GW-1', hardwareRevision: 'B', serial: '0001' },
  tokenHash: filled(6),
  idevidCertificateHash: null,
}

/** A text and a byte string as CBOR: written out by hand, so that the encoder does not vouch for itself. */
const text = (value: string) => concat(Uint8Array.of(0x60 | value.length), utf8(value))
const bytes = (byte: number, length = 32) => concat(Uint8Array.of(0x58, length), filled(byte, length))

describe('enrolment binding', () => {
  it('is the digest over the terms in their order', () => {
    const product = concat(Uint8Array.of(0x84), text('Acme'), text('GW-1'), text('B'), text('0001'))
    const head = concat(Uint8Array.of(0x88), text('keepseal-enrol-v1'), bytes(1), bytes(2), bytes(3), bytes(4))
    expect(enrolmentBinding(TERMS, hash)).toEqual(new Uint8Array(sha256(concat(head, bytes(5, 34), product, bytes(6)))))
    const software = concat(head, Uint8Array.of(0xf6), product, bytes(6))
    expect(enrolmentBinding({ ...TERMS, ekName: null }, hash)).toEqual(new Uint8Array(sha256(software)))
  })

  it('names the certificate of an IDevID at its end, and is what older agents sign where there is none', () => {
    const product = concat(Uint8Array.of(0x84), text('Acme'), text('GW-1'), text('B'), text('0001'))
    const head = concat(Uint8Array.of(0x89), text('keepseal-enrol-v1'), bytes(1), bytes(2), bytes(3), bytes(4))
    const bound = concat(head, bytes(5, 34), product, bytes(6), bytes(7))
    expect(enrolmentBinding({ ...TERMS, idevidCertificateHash: filled(7) }, hash)).toEqual(
      new Uint8Array(sha256(bound)),
    )
  })

  it('changes with every one of them', () => {
    const { product } = TERMS
    const changed: Partial<EnrolmentTerms>[] = [
      {},
      { collectorKeyThumbprint: filled(9) },
      { challenge: filled(9) },
      { deviceKeyThumbprint: filled(9) },
      { tlsKeyHash: filled(9) },
      { ekName: filled(9, 34) },
      { ekName: null },
      { product: { ...product, vendor: 'x' } },
      { product: { ...product, model: 'x' } },
      { product: { ...product, hardwareRevision: 'x' } },
      { product: { ...product, serial: 'x' } },
      // The same letters, divided otherwise.
      { product: { ...product, vendor: 'AcmeG', model: 'W-1' } },
      { tokenHash: filled(9) },
      { idevidCertificateHash: filled(9) },
      { idevidCertificateHash: filled(8) },
    ]
    const bindings = changed.map((change) => toHex(enrolmentBinding({ ...TERMS, ...change }, hash)))
    expect(new Set(bindings).size).toBe(changed.length)
  })
})

describe('what the key of an IDevID signs', () => {
  it('says what it is for, and begins as nothing else that such a key may be given to sign', () => {
    const statement = idevidStatement(filled(1))
    expect(toHex(statement)).toBe(toHex(concat(Uint8Array.of(0x82), text('keepseal-idevid-v1'), bytes(1))))
    // TPM_GENERATED_VALUE, a DER sequence, and the COSE structures that are signed (arrays of four and five).
    for (const first of [0xff, 0x30, 0x84, 0x85]) expect(statement[0]).not.toBe(first)
    // TLS 1.3 signs 64 spaces and more, 1.2 two randoms of 32 bytes: longer than this.
    expect(statement).toHaveLength(54)
  })
})

describe('enrolment proof', () => {
  it('has its role and no UEID as context', () => {
    expect(toHex(enrolmentProofAad())).toBe(toHex(concat(Uint8Array.of(0x82), text('enrolment'), fromHex('f6'))))
  })
})

describe('token hash', () => {
  it('is over the whole text', () => {
    expect(tokenHash('kse_abc', hash)).toEqual(new Uint8Array(sha256(utf8('kse_abc'))))
  })
})
