import { describe, expect, it } from 'vitest'
import { finishEnrolment } from '../../../../collector/trust/enrolment/finish.ts'
import { toBase64Url, toHex } from '../../../../shared/bytes/bytes.ts'
import { hash, random, sha256 } from '../../../../shared/crypto/node.ts'
import type { EnrolmentFinish } from '../../../../shared/evidence/enrolment.ts'
import { nameOf } from '../../../../shared/tpm/public.ts'
import { commonName } from '../../../support/der-writer.ts'
import { enrollingDevice, finishBody, PRODUCT, type SoftwareTpm } from '../../../support/enrolling-device.ts'
import { certifiedTpm, uncertifiedTpm, useCollectors, type Collector } from '../../../support/enrolment-collector.ts'
import { errorCodeOf } from '../../../support/failure.ts'
import { idevidSubject, softwareIdevid, type SoftwareIdevid } from '../../../support/software-idevid.ts'
import { TEST_NOW } from '../../../support/test-certificates.ts'

const newCollector = useCollectors()

const withIdevid = (idevid: SoftwareIdevid, tpm: SoftwareTpm = certifiedTpm()): SoftwareTpm => ({ ...tpm, idevid })

async function ready(idevid = softwareIdevid(), entry: Parameters<Collector['register']>[0] = {}) {
  const collector = await newCollector()
  await collector.product()
  const fingerprint = sha256(idevid.certificate)
  const registrationId = await collector.register({ kind: 'idevid', fingerprint, ...entry })
  const tpm = withIdevid(idevid)
  const device = enrollingDevice({ tpm })
  const refusal = (other = device) => errorCodeOf(() => collector.begin(other, null))
  /** Of the second call, whose body `change` has made a wrong one. */
  const finalRefusal = async (change: (body: EnrolmentFinish) => EnrolmentFinish, other = device) => {
    const body = change(await finishBody(other, null, await collector.begin(other, null)))
    const code = await errorCodeOf(() => finishEnrolment(body, collector.dependencies))
    expect(await collector.devices()).toEqual([])
    expect(await collector.store.registrations.byId(registrationId)).toMatchObject({ usedAt: null })
    return code
  }
  return { collector, device, tpm, idevid, registrationId, refusal, finalRefusal }
}

const as = (tpm: SoftwareTpm, changes: object = {}) => enrollingDevice({ tpm, product: { ...PRODUCT, ...changes } })

/** The body with another signature of the IDevID; undefined: with none. */
const signed = (signature: Uint8Array | undefined) => (body: EnrolmentFinish) => {
  if (body.tpm === null) throw new Error('no TPM')
  const { idevidSignature: _, ...tpm } = body.tpm
  return { ...body, tpm: signature === undefined ? tpm : { ...tpm, idevidSignature: toBase64Url(signature) } }
}

describe('a device whose IDevID is registered', () => {
  it.each(['p256', 'p384', 'rsassa', 'rsapss'] as const)(
    'enrols once without a token, by a key of %s',
    async (kind) => {
      const { collector, device, tpm, registrationId, refusal, idevid } = await ready(softwareIdevid(kind))
      const { identity, ueid } = await collector.enrol(device, null)
      // As its endorsement key has it: the IDevID stands for the token, and for nothing else.
      expect(identity).toBe('tpm-endorsed')
      expect(await collector.store.registrations.byId(registrationId)).toMatchObject({ usedByUeid: ueid })
      const detail = { tokenId: registrationId, registration: 'idevid', idevid: toHex(sha256(idevid.certificate)) }
      expect(await collector.audit('device.enrol')).toMatchObject([{ detail }])
      expect(await refusal()).toBe('enrol.ek-registration-used')
      expect(await refusal(as({ ...certifiedTpm(), idevid }))).toBe('enrol.ek-registration-used')
      expect(await refusal(as({ ...tpm }))).toBe('enrol.ek-registration-used')
      expect(await collector.devices()).toHaveLength(1)
    },
  )

  it('enrols although somebody else, who has seen the certificate, began before', async () => {
    const { collector, device, idevid } = await ready()
    await collector.begin(as(withIdevid({ ...idevid, sign: () => random(70) })), null)
    await collector.enrol(device, null)
    expect(await collector.devices()).toHaveLength(1)
  })

  it('is bound to the serial number of its registration, and of its certificate', async () => {
    const { refusal, tpm } = await ready(softwareIdevid('p256', { subject: idevidSubject('0007') }), { serial: '0007' })
    expect(await refusal(as(tpm, { serial: '0001' }))).toBe('enrol.product-mismatch')
    expect(await refusal(as(tpm, { serial: '0007' }))).toBeUndefined()
  })

  it('may have any serial number where neither names one', async () => {
    const { refusal, tpm } = await ready(softwareIdevid('p256', { subject: commonName('Gateway') }))
    expect(await refusal(as(tpm, { serial: '4711' }))).toBeUndefined()
  })

  it('can use the registration of its endorsement key as well, and still has to prove the IDevID that it shows', async () => {
    const { collector, tpm, device } = await ready(softwareIdevid(), { fingerprint: random(32) })
    const id = await collector.register({ fingerprint: nameOf(tpm.ek.area, hash).slice(2) })
    const body = signed(undefined)(await finishBody(device, null, await collector.begin(device, null)))
    expect(await errorCodeOf(() => finishEnrolment(body, collector.dependencies))).toBe('enrol.idevid-unproven')
    await collector.enrol(device, null)
    expect(await collector.store.registrations.byId(id)).toMatchObject({ usedAt: TEST_NOW })
    expect(await collector.audit('device.enrol')).toMatchObject([{ detail: { registration: 'ek' } }])
  })

  it('enrols by its IDevID where the registration of its endorsement key has ended, not where that was revoked', async () => {
    const { collector, tpm, refusal } = await ready()
    const id = await collector.register({ fingerprint: nameOf(tpm.ek.area, hash).slice(2) }, -1)
    expect(await refusal()).toBeUndefined()
    await collector.store.registrations.revoke(id, collector.now)
    expect(await refusal()).toBe('enrol.ek-registration-revoked')
  })
})

describe('an IDevID is refused', () => {
  it('where it is not registered, for another product, or as a fingerprint of another kind', async () => {
    const { refusal, tpm } = await ready()
    expect(await refusal(as(withIdevid(softwareIdevid())))).toBe('enrol.ek-not-registered')
    expect(await refusal(as(tpm, { model: 'GW-2' }))).toBe('enrol.product-mismatch')
    const other = await ready(softwareIdevid(), { kind: 'ek-certificate' })
    expect(await other.refusal()).toBe('enrol.ek-not-registered')
  })

  it('where the device claims another serial number than the certificate has', async () => {
    const { refusal, tpm } = await ready()
    expect(await refusal(as(tpm, { serial: '0002' }))).toBe('enrol.product-mismatch')
  })

  it.each([
    ['has ended', { notAfter: TEST_NOW - 1000 }],
    ['is not valid yet', { notBefore: TEST_NOW + 1000 }],
  ])('where it %s', async (_, changes) => {
    const { refusal } = await ready(softwareIdevid('p256', changes))
    expect(await refusal()).toBe('enrol.idevid-refused')
  })

  it('after its registration ended, and after it was revoked, also between the calls', async () => {
    const { collector, device, refusal, registrationId } = await ready()
    collector.now += 3_600_000
    expect(await refusal()).toBe('enrol.ek-registration-expired')
    collector.now -= 1
    const body = await finishBody(device, null, await collector.begin(device, null))
    await collector.store.registrations.revoke(registrationId, collector.now)
    expect(await refusal()).toBe('enrol.ek-registration-revoked')
    const finish = () => finishEnrolment(body, collector.dependencies)
    expect(await errorCodeOf(finish)).toBe('enrol.ek-registration-revoked')
    expect(await collector.devices()).toEqual([])
  })

  it('of a device whose TPM the policy of the product does not admit', async () => {
    const { refusal, idevid } = await ready()
    expect(await refusal(as(withIdevid(idevid, uncertifiedTpm())))).toBe('enrol.ek-untrusted')
  })
})

describe('a certificate alone', () => {
  it('opens nothing without a signature, with a wrong one, or with one by another key', async () => {
    const { finalRefusal, idevid } = await ready()
    const message = random(54)
    for (const signature of [undefined, random(70), idevid.sign(message), softwareIdevid().sign(message)]) {
      expect(await finalRefusal(signed(signature))).toBe('enrol.idevid-unproven')
    }
    for (const kind of ['p384', 'rsassa'] as const) {
      expect(await finalRefusal(signed(softwareIdevid(kind).sign(message)))).toBe('enrol.idevid-unproven')
    }
  })

  it('opens nothing to who has another key for it', async () => {
    const { finalRefusal, idevid } = await ready()
    const thief = as(withIdevid({ ...softwareIdevid(), certificate: idevid.certificate }))
    expect(await finalRefusal((body) => body, thief)).toBe('enrol.idevid-unproven')
  })

  it('opens nothing to who relays what the real unit signed for its own enrolment', async () => {
    const { collector, device, finalRefusal, idevid } = await ready()
    const real = await finishBody(device, null, await collector.begin(device, null))
    const relayed = Buffer.from(real.tpm?.idevidSignature ?? '', 'base64url')
    const thief = as(withIdevid(idevid))
    expect(await finalRefusal(signed(relayed), thief)).toBe('enrol.idevid-unproven')
  })

  it('cannot be put before, taken from or exchanged in the enrolment of another', async () => {
    const { collector, device, tpm, idevid } = await ready()
    await collector.register({ fingerprint: nameOf(tpm.ek.area, hash).slice(2) })
    const plain = { ...device, tpm: { ...tpm } }
    delete (plain.tpm as { idevid?: unknown }).idevid
    const other = { ...device, tpm: withIdevid(softwareIdevid(), tpm) }
    for (const [shown, meant] of [
      [device, plain],
      [plain, device],
      [other, device],
    ] as const) {
      const body = await finishBody(meant, null, await collector.begin(shown, null))
      const code = await errorCodeOf(() => finishEnrolment(body, collector.dependencies))
      expect(['enrol.binding-invalid', 'request.invalid']).toContain(code)
    }
    const challenge = await collector.begin(plain, null)
    const body = signed(idevid.sign(random(54)))(await finishBody(plain, null, challenge))
    expect(await errorCodeOf(() => finishEnrolment(body, collector.dependencies))).toBe('request.invalid')
    // An agent that knows of no IDevID goes on as before.
    expect((await collector.enrol(plain, null)).identity).toBe('tpm-endorsed')
  })
})
