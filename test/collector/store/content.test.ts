import { expect, it } from 'vitest'
import { describeStore } from './support.ts'
import { bytes, storedDevice } from './samples.ts'

const DIGEST = bytes('digest')

describeStore('content by digest', (createStore) => {
  it('keeps posture maps apart by vendor', async () => {
    const { postures } = createStore()
    const sections = new Map([
      ['sockets', bytes('sockets')],
      ['__proto__', bytes('hostile')],
    ])
    await postures.save('Acme', DIGEST, sections)
    await postures.save('Acme', DIGEST, new Map())
    expect(await postures.find('Acme', DIGEST)).toEqual(sections)
    expect(await postures.find('Other', DIGEST)).toBeUndefined()
  })

  it('keeps PCR values apart by vendor', async () => {
    const { pcrSets } = createStore()
    await pcrSets.save('Acme', DIGEST, bytes('values'), 1)
    await pcrSets.save('Acme', DIGEST, bytes('others'), 2)
    expect(await pcrSets.find('Acme', DIGEST)).toEqual(bytes('values'))
    expect(await pcrSets.find('Other', DIGEST)).toBeUndefined()
  })

  it('keeps sections apart by vendor, empty ones too', async () => {
    const { sections } = createStore()
    await sections.save('Acme', DIGEST, new Uint8Array())
    expect(await sections.has('Acme', DIGEST)).toBe(true)
    expect(await sections.find('Acme', DIGEST)).toEqual(new Uint8Array())
    expect(await sections.has('Other', DIGEST)).toBe(false)
    expect(await sections.find('Other', DIGEST)).toBeUndefined()
  })
})

describeStore('section chunks', (createStore) => {
  it("may come in any order and twice, stay apart by sender, and count in the sender's quota once", async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const chunk = (index: number, deviceId: number) => ({
      vendor: 'Acme',
      digest: DIGEST,
      index,
      count: 3,
      size: 90,
      encoding: 'none',
      bytes: bytes(`chunk ${index} of ${deviceId}`, 30 + index),
      deviceId,
    })
    await Promise.all(
      [chunk(2, one.id), chunk(0, one.id), chunk(2, one.id)].map((each) => store.sections.saveChunk(each)),
    )
    await store.sections.saveChunk(chunk(2, two.id))
    await store.sections.saveChunk(chunk(1, two.id))
    expect(await store.sections.chunksOf('Acme', DIGEST, one.id)).toEqual([chunk(0, one.id), chunk(2, one.id)])
    expect(await store.sections.chunksOf('Acme', DIGEST, two.id)).toEqual([chunk(1, two.id), chunk(2, two.id)])
    expect(await store.sections.bytesHeldBy(one.id)).toBe(62)
    expect(await store.sections.bytesHeldBy(two.id)).toBe(63)
    expect(await store.sections.chunksOf('Other', DIGEST, one.id)).toEqual([])
    await store.sections.deleteChunks('Acme', DIGEST, one.id)
    expect(await store.sections.bytesHeldBy(one.id)).toBe(0)
    expect(await store.sections.bytesHeldBy(two.id)).toBe(63)
    await store.sections.deleteChunks('Acme', DIGEST)
    expect(await store.sections.bytesHeldBy(two.id)).toBe(0)
  })

  it('of other contents are given up for one device alone', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    const chunk = (label: string, deviceId: number) => ({
      vendor: 'Acme',
      digest: bytes(label),
      index: 0,
      count: 2,
      size: 90,
      encoding: 'identity',
      bytes: bytes(label, 30),
      deviceId,
    })
    for (const label of ['kept', 'given up']) {
      for (const { id } of [one, two]) await store.sections.saveChunk(chunk(label, id))
    }
    await store.sections.deleteOtherChunks(one.id, bytes('kept'))
    expect(await store.sections.bytesHeldBy(one.id)).toBe(30)
    expect(await store.sections.chunksOf('Acme', bytes('kept'), one.id)).toHaveLength(1)
    expect(await store.sections.bytesHeldBy(two.id)).toBe(60)
  })
})
