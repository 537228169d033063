import { beforeEach, describe, expect, it } from 'vitest'
import { random } from '../../../shared/crypto/node.ts'
import { appraisalOf, decide, deviationsOf, refusalOf, type Knowledge } from '../../support/appraising.ts'
import { SoftwareDevice } from '../../support/software-device.ts'

let device: SoftwareDevice
beforeEach(() => {
  device = new SoftwareDevice()
})

describe('a message is refused, and changes no verdict', () => {
  it('when it arrives on the topic of another device', async () => {
    const { bytes } = await device.report()
    const { ueid } = new SoftwareDevice()
    expect(refusalOf(device, bytes, { topicUeid: ueid })).toBe('identity.topic-mismatch')
    expect(refusalOf(device, bytes, { topicUeid: ueid, device: { ueid } })).toBe('identity.topic-mismatch')
    expect(refusalOf(device, bytes, { device: { ueid } })).toBe('identity.topic-mismatch')
  })

  it('when its device is revoked', async () => {
    const { bytes } = await device.report()
    expect(refusalOf(device, bytes, { device: { enrolment: 'revoked' } })).toBe('identity.revoked')
  })

  it('when another device has signed it', async () => {
    const other = new SoftwareDevice()
    const { bytes } = await device.report()
    expect(refusalOf(device, await other.resign(bytes, {}))).toBe('cose.key-id-mismatch')
    const signer = { ...other.signer, keyId: device.signer.keyId }
    const { bytes: forged } = await device.report({}, { signer })
    expect(refusalOf(device, forged)).toBe('cose.signature-invalid')
  })

  it('when the map in it is not the posture that it names, whatever else it is', async () => {
    const { bytes } = await device.report()
    const posture = new Map([['sockets', random(32)]])
    expect(refusalOf(device, await device.resign(bytes, { claims: { posture } }))).toBe('claims.malformed')
    // A quote that fails ends the appraisal early; the map would be kept all the same.
    const without = await device.resign(bytes, { claims: { posture }, tpm: () => null })
    expect(refusalOf(device, without)).toBe('claims.malformed')
  })
})

describe('the place of a message in its session', () => {
  const links = (over: Knowledge['links']): Knowledge => ({ links: over ?? {} })

  it('holds one message: the same again is a duplicate', async () => {
    const { bytes, hash } = await device.report()
    expect(decide(device, bytes, links({ samePlace: hash }))).toEqual({ kind: 'duplicate' })
  })

  it('with another content is a fork, and a clone', async () => {
    const first = await device.report()
    const second = await device.resign(first.bytes, { claims: { uptime: 5 } })
    expect(decide(device, second, links({ samePlace: first.hash }))).toMatchObject({
      kind: 'refused',
      code: 'link.fork',
      deviations: [{ code: 'identity.clone' }],
    })
  })

  it('of a forger says nothing about a clone', async () => {
    const first = await device.report()
    const forged = await new SoftwareDevice().resign(first.bytes, { claims: { uptime: 5 } })
    expect(decide(device, forged, links({ samePlace: first.hash }))).toMatchObject({
      code: 'cose.key-id-mismatch',
      deviations: [],
    })
  })

  it('follows the message before, where that is held', async () => {
    const first = await device.report()
    const { bytes } = await device.report()
    expect(refusalOf(device, bytes, links({ hashBefore: random(32) }))).toBe('link.previous-mismatch')
    expect(refusalOf(device, bytes, links({ hashBefore: first.hash }))).toBe('appraised')
    expect(refusalOf(device, bytes, links({}))).toBe('appraised')
  })

  it('is followed by the message after, where that is held', async () => {
    const first = await device.report()
    expect(refusalOf(device, first.bytes, links({ previousOfNext: random(32) }))).toBe('link.previous-mismatch')
    expect(refusalOf(device, first.bytes, links({ previousOfNext: null }))).toBe('link.previous-mismatch')
    expect(refusalOf(device, first.bytes, links({ previousOfNext: first.hash }))).toBe('appraised')
  })

  it('beyond the first names a message before', async () => {
    await device.report()
    const { bytes } = await device.report()
    const orphan = await device.resign(bytes, { claims: { previous: null } })
    expect(refusalOf(device, orphan)).toBe('link.previous-mismatch')
  })
})

describe('the receipt that a session begins with', () => {
  const begun = async (named: number | undefined, known: number, receipt: Uint8Array | null = random(32)) => {
    device.lastReceipt = receipt
    device.restart()
    const { bytes } = await device.report()
    return appraisalOf(device, bytes, {
      links: { namedReceipt: named },
      state: { namedReceipt: known },
    })
  }

  it('is a rollback when it is older than one that the device has named before: a warning and no more', async () => {
    const appraisal = await begun(3, 7)
    expect(appraisal).toMatchObject({ verdict: 'warning', code: 'reporting.rollback', namedReceipt: 3 })
  })

  it('is a rollback when there is none any more', async () => {
    expect(deviationsOf(await begun(undefined, 7, null))).toEqual(['reporting.rollback agent state'])
  })

  it('is none when it is as new or newer', async () => {
    expect(deviationsOf(await begun(7, 7))).toEqual([])
    expect(await begun(9, 7)).toMatchObject({ deviations: [], namedReceipt: 9 })
  })

  it('says nothing when this collector does not know it', async () => {
    expect(await begun(undefined, 7)).toMatchObject({ deviations: [], namedReceipt: null })
  })

  it('is not asked of a later message of the session', async () => {
    await device.report()
    const { bytes } = await device.report()
    expect(deviationsOf(appraisalOf(device, bytes, { state: { namedReceipt: 7 } }))).toEqual([])
  })
})
