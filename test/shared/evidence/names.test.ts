import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, equal, fromHex, toHex, utf8 } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { evidenceBinding, type EvidenceTerms } from '../../../shared/evidence/evidence.ts'
import { isUeid, makeUeid, ueidBytes, ueidFromBytes } from '../../../shared/evidence/identifiers.ts'
import { postureDigestOf } from '../../../shared/evidence/posture-digest.ts'
import { messageAad } from '../../../shared/evidence/roles.ts'
import { MAX_CONTENT_BYTES, MAX_PART_BYTES, partsOf } from '../../../shared/evidence/section-part.ts'
import {
  downTopic,
  epochTopic,
  parseUpstreamTopic,
  upstreamFilter,
  upstreamTopic,
} from '../../../shared/evidence/topics.ts'
import { filled, otherUeid, ueid } from '../../support/messages.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { bytes, ueidArbitrary } from './arbitrary.ts'
import { withFlippedBit } from './bits.ts'

const kind = fc.constantFrom('evidence', 'section', 'presence')

describe('topics', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(ueidArbitrary, kind, (ueid, kind) => {
        expect(parseUpstreamTopic(upstreamTopic(ueid, kind))).toEqual({ ueid, kind })
      }),
    )
  })

  it('have one spelling', () => {
    const level = fc.oneof(
      fc.constantFrom('keepseal', 'v1', ueid, ueid.toUpperCase(), '+', '#', '', 'down'),
      kind,
      fc.string(),
    )
    const almost = fc.array(level, { maxLength: 6 }).map((levels) => levels.join('/'))
    const inserted = fc.tuple(fc.nat(60), fc.string({ minLength: 1, maxLength: 2 }), kind).map(([at, text, of]) => {
      const topic = upstreamTopic(ueid, of)
      return topic.slice(0, at) + text + topic.slice(at)
    })
    fc.assert(
      fc.property(fc.oneof(almost, inserted), (topic) => {
        const parsed = parseUpstreamTopic(topic)
        if (parsed !== undefined) expect(upstreamTopic(parsed.ueid, parsed.kind)).toBe(topic)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([epochTopic, downTopic(ueid), upstreamFilter('evidence'), `${upstreamTopic(ueid, 'evidence')}/`, ''])(
    'are not for a device to publish to: %s',
    (topic) => {
      expect(parseUpstreamTopic(topic)).toBeUndefined()
    },
  )

  it('are divided by a shared subscription', () => {
    expect(upstreamFilter('evidence', 'ingest')).toBe('$share/ingest/keepseal/v1/+/evidence')
  })
})

describe('a UEID', () => {
  it('is its 17 bytes in hexadecimal', () => {
    fc.assert(
      fc.property(bytes(16), (entropy) => {
        const made = makeUeid(entropy)
        expect(isUeid(made)).toBe(true)
        expect(ueidFromBytes(ueidBytes(made))).toBe(made)
        expect(toHex(ueidBytes(made))).toBe(`01${toHex(entropy)}`)
      }),
    )
  })

  it.each(['', '01', ueid.toUpperCase(), `${ueid}00`, ueid.replace('01', '02'), `${ueid}\n`])('is not %j', (text) => {
    expect(isUeid(text)).toBe(false)
  })

  it('is not made from less than 16 bytes', () => {
    expect(() => makeUeid(filled(15, 1))).toThrow(RangeError)
    expect(ueidFromBytes(filled(16, 1))).toBeUndefined()
  })
})

describe('the context of a message', () => {
  it('is the role and the UEID, spelt out by hand', () => {
    expect(toHex(messageAad('evidence', ueid))).toBe(`8268${toHex(utf8('evidence'))}51${ueid}`)
    expect(toHex(messageAad('epoch', null))).toBe(`8265${toHex(utf8('epoch'))}f6`)
    expect(messageAad('evidence', otherUeid)).not.toEqual(messageAad('evidence', ueid))
  })
})

describe('the binding of an evidence', () => {
  const terms: EvidenceTerms = {
    nonce: filled(32, 1),
    ueid: ueidBytes(ueid),
    deviceKeyThumbprint: filled(32, 2),
    collectorId: filled(16, 3),
    claimsBytes: filled(300, 4),
  }

  it('is the digest over its terms, spelt out by hand', () => {
    const string = (bytes: Uint8Array) => concat(Uint8Array.of(0x58, bytes.length), bytes)
    const spelt = concat(
      fromHex('8674'),
      utf8('keepseal-evidence-v1'),
      string(terms.nonce),
      concat(fromHex('51'), terms.ueid),
      string(terms.deviceKeyThumbprint),
      concat(fromHex('50'), terms.collectorId),
      string(sha256(terms.claimsBytes)),
    )
    expect(toHex(evidenceBinding(terms, hash))).toBe(toHex(sha256(spelt)))
  })

  it('changes with every bit of every term', () => {
    const term = fc.constantFrom(...(Object.keys(terms) as (keyof EvidenceTerms)[]))
    const before = toHex(evidenceBinding(terms, hash))
    fc.assert(
      fc.property(term, fc.nat(), (name, bit) => {
        const changed = withFlippedBit(terms[name], bit % (terms[name].length * 8))
        expect(toHex(evidenceBinding({ ...terms, [name]: changed }, hash))).not.toBe(before)
      }),
    )
  })

  it('does not depend on where one term ends and the next begins', () => {
    const moved = { ...terms, nonce: filled(31, 1), ueid: concat(filled(1, 1), terms.ueid) }
    expect(evidenceBinding(moved, hash)).not.toEqual(evidenceBinding(terms, hash))
  })
})

describe('the digest of a posture', () => {
  it('is over the encoded map, in whatever order it was made', () => {
    const encoded = concat(
      fromHex('a26162'),
      fromHex('5820'),
      filled(32, 2),
      fromHex('626161'),
      fromHex('5820'),
      filled(32, 1),
    )
    const entries: [string, Uint8Array][] = [
      ['aa', filled(32, 1)],
      ['b', filled(32, 2)],
    ]
    expect(toHex(postureDigestOf(new Map(entries), hash))).toBe(toHex(sha256(encoded)))
    expect(postureDigestOf(new Map(entries.reverse()), hash)).toEqual(postureDigestOf(new Map(entries), hash))
  })
})

describe('the parts of a content', () => {
  const content = { digest: filled(32, 1), size: 200_000 }

  it('are its bytes in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 * MAX_PART_BYTES }), (length) => {
        const encoded = Uint8Array.from({ length }, (_, i) => i % 251)
        const parts = partsOf(content, 1, encoded)
        expect(parts.map(({ index, count }) => [index, count])).toEqual(parts.map((_, i) => [i, parts.length]))
        expect(parts.every(({ part }) => part.length > 0 && part.length <= MAX_PART_BYTES)).toBe(true)
        expect(equal(concat(...parts.map(({ part }) => part)), encoded)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('are none that no collector would take', async () => {
    const refused = async (body: () => unknown) => (await refusalOf(Promise.resolve().then(body))).code
    const empty = new Uint8Array(0)
    expect(await refused(() => partsOf({ ...content, size: 0 }, 0, empty))).toBe('internal.failure')
    expect(await refused(() => partsOf(content, 0, new Uint8Array(140 * MAX_PART_BYTES + 1)))).toBe('internal.failure')
    const large = { ...content, size: MAX_CONTENT_BYTES + 1 }
    expect(await refused(() => partsOf(large, 1, filled(9, 1)))).toBe('internal.failure')
  })
})
