import { expect, it } from 'vitest'
import { revokeDevice } from '../../../collector/tracking/approval.ts'
import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborTag } from '../../../shared/cbor/value.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { upstreamTopic } from '../../../shared/evidence/topics.ts'
import { IngestingCollector, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const headers = (protectedBytes: Uint8Array): Uint8Array =>
  encodeCbor(new CborTag(18, [protectedBytes, new Map(), new Uint8Array(1), new Uint8Array(64)]))

const UNREADABLE: readonly (readonly [string, string, () => Uint8Array])[] = [
  ['no bytes at all', 'cbor.truncated', () => new Uint8Array(0)],
  ['the start of a message', 'cbor.truncated', () => hex('d2')],
  ['a declared length of 200 MB', 'cbor.length-exceeds-input', () => hex('d2845a0bebc200')],
  ['an array of four billion items', 'cbor.length-exceeds-input', () => hex('9affffffff')],
  ['nesting of 10,000', 'cbor.too-deep', () => concat(new Uint8Array(10_000).fill(0x81), hex('00'))],
  ['no declared length', 'cbor.indefinite-length', () => hex('9fff')],
  ['a duplicate map key', 'cbor.duplicate-key', () => headers(hex('a2013201 32'.replace(' ', '')))],
  ['unsorted map keys', 'cbor.unsorted-keys', () => headers(hex('a203613101 32'.replace(' ', '')))],
  ['a number that is too long', 'cbor.non-minimal', () => hex('1800')],
  ['a floating-point number', 'cbor.unsupported-type', () => hex('f97e00')],
  ['text that is none', 'cbor.invalid-utf8', () => hex('61ff')],
  ['something else than COSE', 'cose.wrong-tag', () => encodeCbor([1, 2, 3])],
  ['no algorithm', 'cose.algorithm-missing', () => headers(hex('a0'))],
  [
    'a critical header',
    'cose.critical-header',
    () =>
      headers(
        encodeCbor(
          new Map<number, number>([
            [1, -19],
            [2, 5],
          ]),
        ),
      ),
  ],
  ['more than 64 KiB', 'message.too-large', () => new Uint8Array(65_537)],
]

describeStore('a message that is refused', (createStore) => {
  const keys = useCollectorKeys()

  it.each(UNREADABLE)(
    'as it holds %s is recorded, counted and answered, and the queue goes on',
    async (_, code, make) => {
      const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
      const bad = make()
      const good = await device.report()
      const batch = await collector.receive(collector.message(device, bad), collector.message(device, good.bytes))
      expect(batch.handled.map((each) => [each.result, each.code])).toEqual([
        ['refused', code],
        ['accepted', 'content.missing'],
      ])
      const { items } = await collector.store.refusals.list({ limit: 9 })
      expect(items).toHaveLength(1)
      expect(items[0]).toMatchObject({ ueid: device.ueid, code, receivedAt: START })
      expect(items[0]?.bytes.length).toBe(Math.min(bad.length, 65_536))
      expect(await collector.store.refusals.countsByCode({ ueid: device.ueid })).toEqual(new Map([[code, 1]]))
      const { receipts } = collector.answers(device, batch)
      expect(receipts[0]?.refused.map(({ hash, code }) => [toHex(hash), code])).toEqual([[toHex(sha256(bad)), code]])
      expect(receipts[0]?.sessions).toMatchObject([{ contiguousTo: 0, extra: [] }])
    },
  )

  it('as it is followed by other bytes is refused', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const { bytes } = await device.report()
    expect(await collector.evidence(device, concat(bytes, Uint8Array.of(0)))).toMatchObject({
      code: 'cbor.trailing-bytes',
    })
  })

  it('is answered each time that it comes, at once', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.report(device)
    for (let again = 0; again < 3; again++) {
      const batch = await collector.receive(collector.message(device, Uint8Array.of(0xff)))
      expect(collector.answers(device, batch).receipts[0]?.refused).toHaveLength(1)
    }
    expect(await collector.store.refusals.countsByCode()).toEqual(new Map([['cbor.indefinite-length', 3]]))
  })

  it('of a device that nobody enrolled is recorded, and answered to nobody', async () => {
    const { collector } = await IngestingCollector.withDevice(createStore(), keys())
    const stranger = new SoftwareDevice()
    const { bytes } = await stranger.report()
    const { handled, publications } = await collector.receive(
      collector.message(stranger, bytes),
      collector.message(stranger, (await stranger.parts('sockets'))[0] ?? bytes, 'section'),
    )
    expect(handled.map(({ code }) => code)).toEqual(['identity.unknown-device', 'identity.unknown-device'])
    expect(publications).toEqual([])
    expect(await collector.store.refusals.countsByCode()).toEqual(new Map([['identity.unknown-device', 2]]))
  })

  it('of devices that nobody enrolled takes no more room, however many there are said to be', async () => {
    const { collector } = await IngestingCollector.withDevice(createStore(), keys())
    const bytes = Uint8Array.of(0xff)
    const strangers = Array.from({ length: 120 }, () => ({
      topic: upstreamTopic(makeUeid(random(16)), 'evidence'),
      bytes,
      receivedAt: START,
    }))
    await collector.receive(...strangers)
    expect((await collector.store.refusals.list({ limit: 200 })).items).toHaveLength(100)
    expect(await collector.store.refusals.countsByCode()).toEqual(new Map([['cbor.indefinite-length', 120]]))
  })

  it('of a revoked device gets its answer, so that it is not sent for ever', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await revokeDevice(collector.store, { ueid: device.ueid, actor: 'api_x', now: collector.now })
    const batch = await collector.receive(
      collector.message(device, (await device.report()).bytes),
      collector.message(device, (await device.parts('sockets'))[0] ?? new Uint8Array(0), 'section'),
    )
    const { receipts } = collector.answers(device, batch)
    expect(receipts[0]?.refused.map(({ code }) => code)).toEqual(['identity.revoked', 'identity.revoked'])
    expect((await collector.state(device)).verdict).toBe('not-appraised')
  })

  it('on the topic of another device changes neither of them', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const other = await collector.device()
    const before = await collector.state(other)
    const { bytes } = await device.report()
    expect(await collector.evidence(other, bytes)).toMatchObject({ code: 'identity.topic-mismatch' })
    const [part = bytes] = await device.parts('sockets')
    const { handled } = await collector.receive(collector.message(other, part, 'section'))
    expect(handled[0]?.code).toBe('cose.key-id-mismatch')
    expect(await collector.state(other)).toMatchObject({ verdict: before.verdict, latch: 'none', lastFreshAt: null })
    expect(await collector.store.sections.bytesHeldBy((await collector.row(other)).id)).toBe(0)
  })

  it('with a false posture map leaves no map behind that others would be measured by', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const { bytes, postureDigest } = await device.report()
    const posture = new Map([['sockets', new Uint8Array(32).fill(1)]])
    for (const tpm of [undefined, () => null] as const) {
      const forged = await device.resign(bytes, { claims: { posture }, ...(tpm && { tpm }) })
      expect(await collector.evidence(device, forged)).toMatchObject({ code: 'claims.malformed' })
    }
    expect(await collector.store.postures.find('Acme', postureDigest)).toBeUndefined()
  })

  it('is none where nothing is expected: presence and strange topics are passed over', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const bytes = Uint8Array.of(0xff)
    const topics = [upstreamTopic(device.ueid, 'presence'), `keepseal/v1/${device.ueid}/other`, 'keepseal/v1/epoch', '']
    const { handled, publications } = await collector.receive(
      ...topics.map((topic) => ({ topic, bytes, receivedAt: START })),
    )
    expect([handled, publications]).toEqual([[], []])
  })
})
