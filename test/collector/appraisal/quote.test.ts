import { beforeEach, describe, expect, it } from 'vitest'
import { appraise, type Appraisal } from '../../../collector/appraisal/appraise.ts'
import type { OutcomeCode } from '../../../shared/codes/outcomes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { parseQuoteAttest } from '../../../shared/tpm/attest.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { appraisalInput, appraisalOf, approvalOf, type Knowledge } from '../../support/appraising.ts'
import { goodBoot } from '../../support/eventlog-builder.ts'
import type { QuoteLies } from '../../support/quoting-tpm.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { SoftwareSigner } from '../../support/tpm-quote.ts'

let device: SoftwareDevice
beforeEach(() => {
  device = new SoftwareDevice()
})

const reported = async (lies: QuoteLies = {}, knowledge?: Knowledge): Promise<Appraisal> =>
  appraisalOf(device, (await device.report(lies)).bytes, knowledge)

/** Evidence that the device failed by its quote: never a lower tier, never without a finding. */
function expectFailure(appraisal: Appraisal, code: OutcomeCode): void {
  expect(appraisal).toMatchObject({ verdict: 'contraindicated', code, failure: { code, step: 'quote' } })
  expect(appraisal).toMatchObject({ bootCoverage: 'none', pcrs: null, pcrDigest: null, clock: null })
  expect(appraisal.deviations).toContainEqual({
    code: 'boot.quote-refused',
    subject: 'quote',
    before: null,
    after: code,
  })
}

describe('an evidence that is as approved', () => {
  it('is affirming, and its boot measured', async () => {
    device.reboot(goodBoot())
    expect(await reported()).toMatchObject({
      verdict: 'affirming',
      code: null,
      failure: null,
      freshness: 'fresh',
      newest: true,
      bootCoverage: 'measured',
      deviations: [],
    })
  })

  it('is affirming without its PCR values where those of its pcrDigest are known', async () => {
    const first = await reported()
    device.acknowledged = { postureDigest: null, pcrDigest: first.pcrDigest }
    const approved = approvalOf(device)
    const { bytes } = await device.report()
    expect(appraisalOf(device, bytes, { pcrs: approved.pcrs ?? new Map() })).toMatchObject({ verdict: 'affirming' })
  })

  it('of a software device is affirming without a measured boot', async () => {
    device = new SoftwareDevice({ tpm: null })
    expect(await reported()).toMatchObject({ verdict: 'affirming', bootCoverage: 'none', clock: null })
  })
})

describe('a quote is refused', () => {
  it('when the endorsed device stops sending one', async () => {
    device.quoting = false
    expectFailure(await reported(), 'quote.missing')
  })

  it('when it comes from a device that was enrolled without a TPM', async () => {
    expectFailure(await reported({}, { attestationKey: null }), 'quote.unexpected')
  })

  it('when another attestation key made it, under its own name or under that of the enrolled one', async () => {
    const signer = new SoftwareSigner('ecdsa')
    expectFailure(await reported({ signer }), 'quote.signature-invalid')
    const { qualifiedName } = device.tpm?.signer.attestationKey ?? signer.attestationKey
    expectFailure(await reported({ signer, qualifiedSigner: qualifiedName }), 'quote.signature-invalid')
  })

  it('when the enrolled key names another signer', async () => {
    const { qualifiedName } = new SoftwareSigner('ecdsa').attestationKey
    expectFailure(await reported({ qualifiedSigner: qualifiedName }), 'quote.signer-mismatch')
  })

  it('when it was made for other evidence, or for none', async () => {
    expectFailure(await reported({ extraData: new Uint8Array(32).fill(7) }), 'quote.nonce-mismatch')
    expectFailure(await reported({ extraData: new Uint8Array(0) }), 'quote.nonce-empty')
  })

  it('when the claims around it were exchanged and signed again', async () => {
    const { bytes } = await device.report()
    for (const claims of [
      { uptime: 1 },
      { nonce: new Uint8Array(32).fill(9) },
      { sequence: 1, previous: device.nonce },
    ]) {
      const changed = await device.resign(bytes, { claims })
      expectFailure(
        appraisalOf(device, changed, { epoch: { number: 1, nonce: device.nonce, issuedAt: 0 } }),
        'quote.nonce-mismatch',
      )
    }
  })

  it('when it was made for another collector', async () => {
    const { bytes } = await device.report({}, { collectorId: new Uint8Array(16).fill(1) })
    expectFailure(appraisalOf(device, bytes), 'quote.nonce-mismatch')
  })

  it('when it is over another selection than the reported values', async () => {
    const six: PcrValues = new Map([['sha256', new Map([...(device.tpm?.pcrs.get('sha256') ?? [])].slice(0, 6))]])
    expectFailure(await reported({ reported: six }), 'quote.selection-mismatch')
    expectFailure(await reported({ selection: [{ bank: 'sha256', pcrs: [0, 1] }] }), 'quote.selection-mismatch')
  })

  it('when it is over no PCR at all', async () => {
    expectFailure(await reported({ selection: [] }), 'quote.selection-mismatch')
    expectFailure(await reported({ selection: [{ bank: 'sha256', pcrs: [] }] }), 'quote.selection-mismatch')
  })

  it('when one of the reported values is not the quoted one', async () => {
    const values = new Map(device.tpm?.pcrs.get('sha256'))
    values.set(4, new Uint8Array(32))
    expectFailure(await reported({ reported: new Map([['sha256', values]]) }), 'quote.pcr-digest-mismatch')
  })

  it('when it is over the SHA-1 bank, alone or beside the other', async () => {
    device.tpm?.setPcr('sha1', 0, new Uint8Array(20).fill(1))
    expectFailure(await reported(), 'quote.bank-refused')
    device.tpm?.removeBank('sha256')
    expectFailure(await reported(), 'quote.bank-refused')
  })

  it.each([16, 23])('when it is over PCR %i, which software can reset', async (pcr) => {
    device.tpm?.extend(pcr, 'anything')
    expectFailure(await reported(), 'quote.resettable-pcr')
  })

  it('when it was not generated by a TPM or is no quote', async () => {
    for (const [lie, code] of [
      [{ magic: 0xff544346 }, 'quote.magic'],
      [{ type: 0x8017 }, 'quote.type'],
    ] as const) {
      const { bytes } = await device.report()
      const extraData = parseQuoteAttest(decodeEvidence(bytes).tpm?.attest ?? new Uint8Array(0)).extraData
      const forged = await device.tpm?.quote(extraData, lie)
      expectFailure(appraisalOf(device, await device.resign(bytes, { tpm: (tpm) => ({ ...tpm, ...forged }) })), code)
    }
  })

  it('when its bytes go on after its end', async () => {
    const { bytes } = await device.report()
    const longer = (part: Uint8Array) => Uint8Array.from([...part, 0])
    const attest = await device.resign(bytes, { tpm: (tpm) => ({ ...tpm, attest: longer(tpm.attest) }) })
    expectFailure(appraisalOf(device, attest), 'tpm.malformed')
    const signature = await device.resign(bytes, { tpm: (tpm) => ({ ...tpm, signature: longer(tpm.signature) }) })
    expectFailure(appraisalOf(device, signature), 'tpm.malformed')
  })

  it('when it was cut off from evidence that had one', async () => {
    const { bytes } = await device.report()
    expectFailure(appraisalOf(device, await device.resign(bytes, { tpm: () => null })), 'quote.missing')
  })
})

describe('a quote without its PCR values', () => {
  beforeEach(async () => {
    const { pcrDigest } = await device.report()
    device.acknowledged = { postureDigest: null, pcrDigest }
  })

  it('proves nothing while they are unknown: they are asked for', async () => {
    const appraisal = await reported()
    expect(appraisal).toMatchObject({ verdict: 'not-appraised', code: 'quote.pcrs-missing', failure: null })
    expect(appraisal).toMatchObject({ missing: { pcrs: true }, pcrs: null, pcrDigest: null, clock: null })
  })

  it('is refused all the same when it is forged', async () => {
    expectFailure(await reported({ signer: new SoftwareSigner('ecdsa') }), 'quote.signature-invalid')
    expectFailure(await reported({ extraData: new Uint8Array(32) }), 'quote.nonce-mismatch')
    const { qualifiedName } = new SoftwareSigner('ecdsa').attestationKey
    expectFailure(await reported({ qualifiedSigner: qualifiedName }), 'quote.signer-mismatch')
  })

  it('over a bank or PCR that is not allowed is refused, known or not', async () => {
    const without = async () => {
      const made = await device.report()
      return device.resign(made.bytes, { tpm: (tpm) => ({ ...tpm, pcrs: null }) })
    }
    device.tpm?.extend(16, 'anything')
    expectFailure(appraisalOf(device, await without()), 'quote.resettable-pcr')
    device.tpm?.reboot()
    device.tpm?.setPcr('sha1', 0, new Uint8Array(20))
    expectFailure(appraisalOf(device, await without()), 'quote.bank-refused')
  })

  it('is refused where the values that are known are not the quoted ones', async () => {
    const values = new Map(device.tpm?.pcrs.get('sha256'))
    values.set(0, new Uint8Array(32).fill(1))
    expectFailure(await reported({}, { pcrs: new Map([['sha256', values]]) }), 'quote.pcr-digest-mismatch')
  })
})

describe('an error that is no fault of the device', () => {
  it('is never taken for an outcome', async () => {
    const { bytes } = await device.report()
    const input = appraisalInput(device, bytes)
    const broken = () => {
      throw new TypeError('of this software')
    }
    expect(() => appraise({ ...input, hash: broken })).toThrow(TypeError)
    expect(() => appraise({ ...input, hash: broken })).not.toThrow(OutcomeError)
  })
})
