import { beforeEach, describe, expect, it } from 'vitest'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { postureDigestOf } from '../../../shared/evidence/posture-digest.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { appraisalOf, approvalOf, deviationsOf, type Knowledge } from '../../support/appraising.ts'
import { GOOD_READINGS, packagesWith, SoftwareDevice, socketsWith } from '../../support/software-device.ts'

let device: SoftwareDevice
beforeEach(() => {
  device = new SoftwareDevice()
})

/** What the device reports after `change`, with what it was before approved and all content at hand. */
async function drifted(change: () => void, over: Knowledge = {}) {
  const approved = approvalOf(device)
  const before = device.contents
  change()
  const contents = new Map([...before, ...device.contents])
  return appraisalOf(device, (await device.report()).bytes, { approved, contents, ...over })
}

const set = (readings: typeof GOOD_READINGS) => () => {
  device.readings = { ...GOOD_READINGS, ...readings }
}

describe('what nobody has approved', () => {
  it('is not appraised, and never affirming', async () => {
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes, { approved: undefined })).toMatchObject({
      verdict: 'not-appraised',
      code: 'reference-values.missing',
    })
  })

  it('of a pending device is not appraised, even when it is as its product', async () => {
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes, { device: { enrolment: 'pending' } })).toMatchObject({
      verdict: 'not-appraised',
      code: 'identity.pending',
    })
  })

  it('of the boot is not appraised where only the posture was approved', async () => {
    const { bytes } = await device.report()
    const { posture } = approvalOf(device)
    expect(appraisalOf(device, bytes, { approved: { ...approvalOf(device), posture, pcrs: null } })).toMatchObject({
      verdict: 'not-appraised',
      code: 'reference-values.missing',
    })
  })
})

describe('a boot measurement', () => {
  it('that is not the approved one is an integrity failure of that PCR', async () => {
    const appraisal = await drifted(() => device.tpm?.extend(4, 'another kernel'))
    expect(appraisal).toMatchObject({ verdict: 'contraindicated', code: 'boot.pcr-changed' })
    expect(deviationsOf(appraisal)).toEqual(['boot.pcr-changed pcr/sha256/4'])
  })

  it('that is approved and not quoted any more is one', async () => {
    device.tpm?.extend(8, 'command line')
    expect(deviationsOf(await drifted(() => device.tpm?.reboot()))).toEqual(['boot.pcr-changed pcr/sha256/8'])
  })

  it('of the kernel, which grows, is not compared once it was extended', async () => {
    device.tpm?.extend(10, 'first file')
    expect(await drifted(() => device.tpm?.extend(10, 'second file'))).toMatchObject({ verdict: 'affirming' })
  })

  it('of the kernel is compared while it was approved as never extended', async () => {
    device.tpm?.setPcr('sha256', 10, new Uint8Array(32))
    expect(deviationsOf(await drifted(() => device.tpm?.extend(10, 'first file')))).toEqual([
      'boot.pcr-changed pcr/sha256/10',
    ])
  })
})

describe('a section', () => {
  it('that changed is a warning for each change', async () => {
    const appraisal = await drifted(set({ sockets: socketsWith(22, 4444), packages: packagesWith('1.0', '2.1') }))
    expect(appraisal).toMatchObject({ verdict: 'warning', failure: null })
    expect(deviationsOf(appraisal)).toEqual(['sockets.listener-added tcp/0.0.0.0:4444', 'packages.changed package-1'])
    expect([...appraisal.decidedSections].sort()).toEqual(['packages', 'sockets', 'system'])
  })

  it('whose content has not arrived is not appraised, and asked for', async () => {
    const known = device.contents
    const appraisal = await drifted(set({ sockets: socketsWith(22, 4444) }), { contents: known })
    expect(appraisal).toMatchObject({ verdict: 'not-appraised', code: 'content.missing' })
    expect(appraisal.missing.contents.map(toHex)).toEqual([
      toHex(device.sections.get('sockets')?.digest ?? new Uint8Array(0)),
    ])
    expect(appraisal.decidedSections.has('sockets')).toBe(false)
  })

  it('whose approved content is gone is not appraised either', async () => {
    const before = device.contents
    const appraisal = await drifted(set({ sockets: socketsWith(22, 4444) }))
    expect(appraisal.verdict).toBe('warning')
    const approved = { ...approvalOf(device), posture: appraisal.evidence.claims.posture ?? new Map() }
    device.readings = GOOD_READINGS
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes, { approved, contents: before })).toMatchObject({
      verdict: 'not-appraised',
      code: 'content.missing',
    })
  })

  it('that cannot be measured any more is a change of reporting, and what it showed is not gone', async () => {
    const hidden: SectionReading<'sockets'> = { status: 'no-permission', reason: 'file-not-readable' }
    const appraisal = await drifted(set({ sockets: hidden }))
    expect(deviationsOf(appraisal)).toEqual(['reporting.section-status-changed sockets'])
    expect(appraisal.decidedSections.has('sockets')).toBe(false)
  })

  it('whose sensor failed is one finding, and what it showed is not gone', async () => {
    const failed: SectionReading<'sockets'> = { status: 'failed', code: 'sensor-fault' }
    const appraisal = await drifted(set({ sockets: failed }))
    expect(deviationsOf(appraisal)).toEqual(['agent.sensor-failed sockets'])
    expect(appraisal.deviations[0]?.after).toBe('failed: sensor-fault')
    expect(appraisal.decidedSections.has('sockets')).toBe(false)
  })

  it('that is left out is one as well', async () => {
    const { sockets: _, ...others } = GOOD_READINGS
    const appraisal = await drifted(() => {
      device.readings = others
    })
    expect(appraisal.verdict).toBe('warning')
    expect(deviationsOf(appraisal)).toEqual(['reporting.section-status-changed sockets'])
    expect(appraisal.decidedSections.has('sockets')).toBe(false)
  })

  it('that nobody approved is one as well', async () => {
    const boot: SectionReading<'boot'> = { status: 'not-supported', reason: 'no-platform-facts' }
    expect(deviationsOf(await drifted(set({ boot })))).toEqual(['reporting.section-status-changed boot'])
  })

  it('with malformed content is one as well', async () => {
    const approved = approvalOf(device)
    const before = device.contents
    const content = encodeCbor(['no section'])
    const digest = new Uint8Array(sha256(content))
    const { posture, ...measured } = device.posture
    const changed = new Map([...posture, ['sockets', digest] as const])
    const { bytes } = await device.report(
      {},
      { posture: { ...measured, posture: changed, postureDigest: postureDigestOf(changed, hash) } },
    )
    const contents = new Map([...before, [toHex(digest), content] as const])
    const appraisal = appraisalOf(device, bytes, { approved, contents })
    expect(appraisal.verdict).toBe('warning')
    expect(deviationsOf(appraisal)).toEqual(['reporting.section-status-changed sockets'])
    expect(appraisal.deviations[0]?.after).toBe('section.malformed')
  })
})

describe('the posture map', () => {
  it('that does not travel and is not known is asked for', async () => {
    device.acknowledged = { postureDigest: device.posture.postureDigest, pcrDigest: null }
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes)).toMatchObject({
      verdict: 'not-appraised',
      code: 'content.missing',
      missing: { posture: true },
    })
    expect(appraisalOf(device, bytes, { posture: device.posture.posture })).toMatchObject({ verdict: 'affirming' })
  })

  it('names the log of the firmware beside the sections', async () => {
    const firmwareLogDigest = new Uint8Array(sha256(Uint8Array.of(1)))
    const { bytes } = await device.report({}, { firmwareLogDigest })
    expect(appraisalOf(device, bytes).missing.contents).toEqual([firmwareLogDigest])
    const contents = new Map([...device.contents, [toHex(firmwareLogDigest), Uint8Array.of(1)] as const])
    expect(appraisalOf(device, bytes, { contents }).missing.contents).toEqual([])
  })
})
