import { describe, expect, it } from 'vitest'
import { finishEnrolment } from '../../../../collector/trust/enrolment/finish.ts'
import { hash, random, sha256 } from '../../../../shared/crypto/node.ts'
import { nameOf } from '../../../../shared/tpm/public.ts'
import { enrollingDevice, finishBody, PRODUCT, type SoftwareTpm } from '../../../support/enrolling-device.ts'
import { certifiedTpm, uncertifiedTpm, useCollectors, type Collector } from '../../../support/enrolment-collector.ts'
import { errorCodeOf } from '../../../support/failure.ts'

const newCollector = useCollectors()

const fingerprintOf = ({ ek }: SoftwareTpm): Uint8Array => nameOf(ek.area, hash).slice(2)

async function ready(tpm = certifiedTpm(), entry: Parameters<Collector['register']>[0] = {}) {
  const collector = await newCollector()
  await collector.product()
  const registrationId = await collector.register({ fingerprint: fingerprintOf(tpm), ...entry })
  const device = enrollingDevice({ tpm })
  const refusal = (other = device) => errorCodeOf(() => collector.begin(other, null))
  return { collector, device, tpm, registrationId, refusal }
}

describe('a device whose TPM is registered', () => {
  it('enrols without a token, as the identity that its TPM has, and uses the registration up', async () => {
    const { collector, device, registrationId, refusal } = await ready()
    const { identity, ueid } = await collector.enrol(device, null)
    expect(identity).toBe('tpm-endorsed')
    expect(await collector.store.registrations.byId(registrationId)).toMatchObject({ usedByUeid: ueid })
    expect(await collector.audit('device.enrol')).toMatchObject([{ detail: { tokenId: registrationId } }])
    expect(await refusal()).toBe('enrol.ek-registration-used')
    expect(await refusal(enrollingDevice({ tpm: device.tpm }))).toBe('enrol.ek-registration-used')
    expect(await collector.devices()).toHaveLength(1)
  })

  it('is known by its certificate as well, whatever its TPM pads it with', async () => {
    const tpm = certifiedTpm()
    const certificate = tpm.ekCertificate ?? new Uint8Array(0)
    const { collector } = await ready(tpm, { kind: 'ek-certificate', fingerprint: sha256(certificate) })
    const padded = new Uint8Array(certificate.length + 40).fill(0xff)
    padded.set(certificate)
    const device = enrollingDevice({ tpm: { ...tpm, ekCertificate: padded } })
    expect((await collector.enrol(device, null)).identity).toBe('tpm-endorsed')
  })

  it('enrols although somebody else, who knows its public key, began before', async () => {
    const { collector, device, tpm } = await ready()
    await collector.begin(enrollingDevice({ tpm }), null)
    await collector.enrol(device, null)
    expect(await collector.devices()).toHaveLength(1)
  })

  it('can still use a token, which leaves the registration alone', async () => {
    const { collector, device, registrationId } = await ready()
    await collector.enrol(device, await collector.token())
    expect(await collector.store.registrations.byId(registrationId)).toMatchObject({ usedAt: null })
  })

  it('gets no more than the policy of its product allows', async () => {
    const { refusal } = await ready(uncertifiedTpm())
    expect(await refusal()).toBe('enrol.ek-untrusted')
  })
})

describe('without a token, an enrolment is refused', () => {
  it('of a TPM that nobody registered, and of none', async () => {
    const { refusal, collector } = await ready()
    expect(await refusal(enrollingDevice({ tpm: certifiedTpm() }))).toBe('enrol.ek-not-registered')
    expect(await refusal(enrollingDevice({ tpm: null }))).toBe('enrol.ek-not-registered')
    expect(await collector.devices()).toEqual([])
  })

  it('of another TPM that shows the certificate of the registered one', async () => {
    const tpm = certifiedTpm()
    const fingerprint = sha256(tpm.ekCertificate ?? new Uint8Array(0))
    const { refusal } = await ready(tpm, { kind: 'ek-certificate', fingerprint })
    const thief = { ...certifiedTpm(), ekCertificate: tpm.ekCertificate }
    expect(await refusal(enrollingDevice({ tpm: thief }))).toBe('enrol.ek-not-registered')
  })

  it('where a digest is registered as one of another kind', async () => {
    const { refusal } = await ready(certifiedTpm(), { kind: 'ek-certificate' })
    expect(await refusal()).toBe('enrol.ek-not-registered')
  })

  it('of another product, and of a unit with another serial number', async () => {
    const { refusal, tpm } = await ready(certifiedTpm(), { serial: PRODUCT.serial })
    const as = (changes: object) => enrollingDevice({ tpm, product: { ...PRODUCT, ...changes } })
    expect(await refusal(as({ model: 'GW-2' }))).toBe('enrol.product-mismatch')
    expect(await refusal(as({ vendor: 'Other' }))).toBe('enrol.product-mismatch')
    expect(await refusal(as({ serial: '0002' }))).toBe('enrol.product-mismatch')
    expect(await refusal(as({}))).toBeUndefined()
  })

  it('after its end, and after it was revoked', async () => {
    const { refusal, collector, registrationId } = await ready()
    collector.now += 3_600_000
    expect(await refusal()).toBe('enrol.ek-registration-expired')
    collector.now -= 1
    await collector.store.registrations.revoke(registrationId, collector.now)
    expect(await refusal()).toBe('enrol.ek-registration-revoked')
  })

  it('where it is revoked between the two calls, and nothing is half done', async () => {
    const { collector, device, registrationId } = await ready()
    const body = await finishBody(device, null, await collector.begin(device, null))
    await collector.store.registrations.revoke(registrationId, collector.now)
    const finish = () => finishEnrolment(body, collector.dependencies)
    expect(await errorCodeOf(finish)).toBe('enrol.ek-registration-revoked')
    expect(await collector.devices()).toEqual([])
  })

  it('for all but one of two devices with one TPM', async () => {
    const { collector, device, tpm } = await ready()
    const second = enrollingDevice({ tpm, product: { ...PRODUCT, serial: '0002' } })
    const bodies = await Promise.all(
      [device, second].map(async (each) => finishBody(each, null, await collector.begin(each, null))),
    )
    const codes = await Promise.all(
      bodies.map((body) => errorCodeOf(() => finishEnrolment(body, collector.dependencies))),
    )
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(await collector.devices()).toHaveLength(1)
  })

  it('where the quote was made for a token, or for none while there was one', async () => {
    const { collector, device } = await ready()
    const challenge = await collector.begin(device, null)
    const body = await finishBody(device, null, challenge, { tokenHash: random(32) })
    expect(await errorCodeOf(() => finishEnrolment(body, collector.dependencies))).toBe('enrol.binding-invalid')
  })
})

describe('a registered device that comes back', () => {
  it('with an empty disk needs a token for its re-enrolment, and keeps its name', async () => {
    const { collector, device, tpm, refusal } = await ready()
    const { ueid } = await collector.enrol(device, null)
    const again = enrollingDevice({ tpm })
    expect(await refusal(again)).toBe('enrol.ek-registration-used')
    expect((await collector.enrol(again, await collector.token(ueid))).ueid).toBe(ueid)
  })

  it('with another TPM is the same device by such a token, and another one by a registration', async () => {
    const { collector, device } = await ready()
    const { ueid } = await collector.enrol(device, null)
    const [replaced, other] = [certifiedTpm(), certifiedTpm()]
    expect((await collector.enrol(enrollingDevice({ tpm: replaced }), await collector.token(ueid))).ueid).toBe(ueid)
    await collector.register({ fingerprint: fingerprintOf(other) })
    const stranger = enrollingDevice({ tpm: other, product: { ...PRODUCT, serial: '0009' } })
    expect((await collector.enrol(stranger, null)).ueid).not.toBe(ueid)
  })
})
