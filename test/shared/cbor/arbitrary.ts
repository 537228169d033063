import * as fc from 'fast-check'
import { CborTag, WIRE_TAGS, type CborKey, type CborValue } from '../../../shared/cbor/value.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.startsWith('\ufeff'))

const integer = fc
  .oneof(
    fc.bigInt({ min: -(1n << 64n) + 1n, max: (1n << 64n) - 1n }),
    fc.bigInt({ min: -300n, max: 300n }),
    fc.constantFrom(...[8n, 16n, 31n, 32n, 53n].flatMap((bits) => [-2n, -1n, 0n, 1n].map((d) => (1n << bits) + d))),
    fc.constantFrom(...[8n, 16n, 31n, 32n, 53n].flatMap((bits) => [-2n, -1n, 0n, 1n].map((d) => -(1n << bits) + d))),
  )
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value))

const key: fc.Arbitrary<CborKey> = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  text,
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
)

/** Any value of the wire, shallow enough for the default limits. */
export const cborValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    integer,
    text,
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom(true, false, null),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 8 }).map((entries) => new Map(entries)),
    fc.tuple(fc.constantFrom(...WIRE_TAGS), tie('value')).map(([tag, value]) => new CborTag(tag, value)),
  ),
})).value

/** Mostly well-formed CBOR of every kind, so that a scanner is reached deep inside and not only at the first byte. */
export const cborLikeBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        0x00,
        0x18,
        0x19,
        0x1b,
        0x20,
        0x3b,
        0x41,
        0x61,
        0x62,
        0x81,
        0x82,
        0xa1,
        0xa2,
        0xd2,
        0xf4,
        0xf6,
        0xf7,
        0xf9,
        0xff,
        0xc3,
        0xa9,
      ),
      { maxLength: 60 },
    )
    .map((bytes) => Uint8Array.from(bytes)),
)
