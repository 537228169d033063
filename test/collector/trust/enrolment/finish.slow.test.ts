import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { initialDeviceState } from '../../../../collector/model/device.ts'
import { finishEnrolment } from '../../../../collector/trust/enrolment/finish.ts'
import { fromBase64Url, toBase64Url } from '../../../../shared/bytes/bytes.ts'
import { hash, random, sha256 } from '../../../../shared/crypto/node.ts'
import type { EnrolmentTerms } from '../../../../shared/evidence/binding.ts'
import type { EnrolmentFinish } from '../../../../shared/evidence/enrolment.ts'
import { isUeid, type Ueid } from '../../../../shared/evidence/identifiers.ts'
import { nameOf } from '../../../../shared/tpm/public.ts'
import { enrollingDevice, finishBody, PRODUCT, type EnrollingDevice } from '../../../support/enrolling-device.ts'
import { errorCodeOf } from '../../../support/failure.ts'
import { softwareAttestationKey } from '../../../support/software-quote.ts'
import { certifiedTpm, uncertifiedTpm, useCollectors, type Collector } from '../../../support/enrolment-collector.ts'

const newCollector = useCollectors()

const ready = async (changes: Parameters<Collector['product']>[0] = {}) => {
  const collector = await newCollector()
  await collector.product(changes)
  return collector
}

const device = (changes: Partial<EnrollingDevice> = {}) => enrollingDevice({ tpm: certifiedTpm(), ...changes })

async function begun(endorsed = device()) {
  const collector = await ready()
  const token = await collector.token()
  const challenge = await collector.begin(endorsed, token)
  const finish = (body: EnrolmentFinish) => finishEnrolment(body, collector.dependencies)
  return { collector, token, challenge, endorsed, finish }
}

describe('a good enrolment', () => {
  it('ends with a device, a certificate and keys', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const grant = await finish(await finishBody(endorsed, token, challenge))
    if (!isUeid(grant.ueid) || endorsed.tpm === null) throw new Error('no UEID')
    expect(grant.identity).toBe('tpm-endorsed')
    expect(grant.mqttUrl).toBe('mqtts://collector.example:8883')
    const certificate = new X509Certificate(grant.certificate)
    expect(certificate.subject).toBe(`CN=${grant.ueid}`)
    expect(certificate.verify(new X509Certificate(grant.certificateAuthority).publicKey)).toBe(true)
    expect(sha256(certificate.publicKey.export({ format: 'der', type: 'spki' }))).toEqual(endorsed.tlsKeyHash)

    const stored = await collector.store.devices.byUeid(grant.ueid)
    const thumbprint = endorsed.signer.keyId
    expect(stored).toMatchObject({ enrolment: 'active', identity: 'tpm-endorsed', ...PRODUCT })
    expect(Buffer.from(stored?.deviceKeyThumbprint ?? [])).toEqual(Buffer.from(thumbprint))
    expect(Buffer.from(stored?.tpm?.akName ?? [])).toEqual(Buffer.from(endorsed.tpm.ak.name))
    expect(Buffer.from(stored?.tpm?.ekName ?? [])).toEqual(Buffer.from(nameOf(endorsed.tpm.ek.area, hash)))
    expect(stored?.certificateNotAfter).toBe(Date.parse(certificate.validTo))
    expect(fromBase64Url(grant.receiptKey)).toEqual(new Uint8Array(collector.keys.receiptKeyOf(grant.ueid, thumbprint)))
    expect(await collector.audit('device.enrol')).toHaveLength(1)
  })

  it('of a device without a TPM has no credential and no quote', async () => {
    const collector = await ready({ identityPolicy: 'software' })
    const token = await collector.token()
    const plain = device({ tpm: null })
    const challenge = await collector.begin(plain, token)
    expect(challenge.credential).toBeNull()
    expect((await finishEnrolment(await finishBody(plain, token, challenge), collector.dependencies)).identity).toBe(
      'software',
    )
  })

  it('waits for a person where the product wants that', async () => {
    const collector = await ready({ approvalPolicy: 'manual' })
    await collector.enrol(device(), await collector.token())
    expect((await collector.devices()).map(({ enrolment }) => enrolment)).toEqual(['pending'])
  })

  it('ends well although the token ran out between the two calls', async () => {
    const collector = await ready()
    const token = await collector.token(null, 60_000)
    const endorsed = device()
    const challenge = await collector.begin(endorsed, token)
    collector.now += 120_000
    await finishEnrolment(await finishBody(endorsed, token, challenge), collector.dependencies)
    expect(await collector.devices()).toHaveLength(1)
  })
})

describe('an enrolment that somebody relays', () => {
  // The terms that the far TPM signed are not the ones of this enrolment.
  const swaps: readonly [string, Partial<EnrolmentTerms>][] = [
    ['collector', { collectorKeyThumbprint: random(32) }],
    ['challenge', { challenge: random(32) }],
    ['device key', { deviceKeyThumbprint: random(32) }],
    ['TLS key', { tlsKeyHash: random(32) }],
    ['TPM', { ekName: random(34) }],
    ['lack of a TPM', { ekName: null }],
    ['vendor', { product: { ...PRODUCT, vendor: 'Other' } }],
    ['model', { product: { ...PRODUCT, model: 'GW-2' } }],
    ['hardware revision', { product: { ...PRODUCT, hardwareRevision: 'C' } }],
    ['serial number', { product: { ...PRODUCT, serial: '0002' } }],
    ['token', { tokenHash: random(32) }],
  ]

  it.each(swaps)('is refused when the quote is for another %s', async (_, swap) => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const honest = await finishBody(endorsed, token, challenge)
    const relayed = await finishBody(endorsed, token, challenge, swap)
    expect(await errorCodeOf(() => finish({ ...honest, tpm: relayed.tpm }))).toBe('enrol.binding-invalid')
    expect(await collector.devices()).toEqual([])
  })

  it.each(swaps)('is refused when the device signed for another %s', async (_, swap) => {
    const { token, challenge, endorsed, finish } = await begun()
    const honest = await finishBody(endorsed, token, challenge)
    const relayed = await finishBody(endorsed, token, challenge, swap)
    expect(await errorCodeOf(() => finish({ ...honest, proof: relayed.proof }))).toBe('enrol.binding-invalid')
  })

  it('is refused when another device key signs', async () => {
    const { token, challenge, endorsed, finish } = await begun()
    const honest = await finishBody(endorsed, token, challenge)
    const other = await finishBody({ ...endorsed, signer: device().signer }, token, challenge)
    expect(await errorCodeOf(() => finish({ ...honest, proof: other.proof }))).toBe('enrol.binding-invalid')
  })

  it('is refused when another attestation key quotes', async () => {
    const { token, challenge, endorsed, finish } = await begun()
    const { tpm } = endorsed
    if (tpm === null) throw new Error('no TPM')
    const honest = await finishBody(endorsed, token, challenge)
    const other = await finishBody({ ...endorsed, tpm: { ...tpm, ak: softwareAttestationKey() } }, token, challenge)
    const mixed = { ...other.tpm, secret: honest.tpm?.secret ?? '' } as NonNullable<EnrolmentFinish['tpm']>
    expect(await errorCodeOf(() => finish({ ...honest, tpm: mixed }))).toBe('enrol.binding-invalid')
  })
})

describe('the second call', () => {
  it('is refused with a wrong secret', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const body = await finishBody(endorsed, token, challenge)
    if (body.tpm === null) throw new Error('no TPM')
    const wrong = { ...body, tpm: { ...body.tpm, secret: toBase64Url(random(32)) } }
    expect(await errorCodeOf(() => finish(wrong))).toBe('enrol.secret-wrong')
    expect(await collector.devices()).toEqual([])
    expect((await collector.audit('enrolment.refuse'))[0]).toMatchObject({
      subject: challenge.enrolmentId,
      detail: { code: 'enrol.secret-wrong' },
    })
  })

  it('is refused when it leaves out the answer of the TPM', async () => {
    const { token, challenge, endorsed, finish } = await begun()
    const body = await finishBody(endorsed, token, challenge)
    expect(await errorCodeOf(() => finish({ ...body, tpm: null }))).toBe('enrol.secret-wrong')
  })

  it('is refused with a TPM that the first call did not have', async () => {
    const collector = await ready({ identityPolicy: 'software' })
    const token = await collector.token()
    const plain = device({ tpm: null })
    const challenge = await collector.begin(plain, token)
    const body = await finishBody(plain, token, challenge)
    const tpm = { secret: 'AA', attest: 'AA', signature: 'AA' }
    expect(await errorCodeOf(() => finishEnrolment({ ...body, tpm }, collector.dependencies))).toBe('request.invalid')
  })

  it('is answered once: after a failure the challenge is gone and the token still reserved', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const body = await finishBody(endorsed, token, challenge)
    expect(await errorCodeOf(() => finish({ ...body, tpm: null }))).toBe('enrol.secret-wrong')
    expect(await errorCodeOf(() => finish(body))).toBe('enrol.challenge-unknown')
    expect(await errorCodeOf(() => collector.begin(device(), token))).toBe('enrol.token-reserved')
    await collector.enrol(endorsed, token)
    expect(await collector.devices()).toHaveLength(1)
  })

  it('is refused after ten minutes', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const body = await finishBody(endorsed, token, challenge)
    collector.now += 600_000
    expect(await errorCodeOf(() => finish(body))).toBe('enrol.challenge-expired')
    expect(await collector.devices()).toEqual([])
  })
})

describe('one token and several devices', () => {
  it('lets exactly one of two racing devices begin', async () => {
    const collector = await ready()
    const token = await collector.token()
    const codes = await Promise.all([device(), device()].map((each) => errorCodeOf(() => collector.enrol(each, token))))
    expect(codes.toSorted()).toEqual(['enrol.token-reserved', undefined])
    expect(await collector.devices()).toHaveLength(1)
  })

  it('lets exactly one of several concurrent second calls pass', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const again = await collector.begin(endorsed, token)
    const bodies = await Promise.all([challenge, again].map((each) => finishBody(endorsed, token, each)))
    const codes = await Promise.all([...bodies, ...bodies].map((body) => errorCodeOf(() => finish(body))))
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes.filter((code) => code === 'enrol.token-used')).toHaveLength(1)
    expect(codes.filter((code) => code === 'enrol.challenge-unknown')).toHaveLength(2)
    expect(await collector.devices()).toHaveLength(1)
  })

  it('stores nothing when the token is gone at the end', async () => {
    const { collector, token, challenge, endorsed, finish } = await begun()
    const stored = await collector.store.pendingEnrolments.take(challenge.enrolmentId)
    if (stored === undefined) throw new Error('nothing pending')
    await collector.store.pendingEnrolments.insert(stored)
    await collector.store.enrolmentTokens.consume(stored.tokenId, 'elsewhere', collector.now)
    const body = await finishBody(endorsed, token, challenge)
    expect(await errorCodeOf(() => finish(body))).toBe('enrol.token-used')
    expect(await collector.devices()).toEqual([])
  })
})

describe('a TPM or key that is enrolled already', () => {
  it('is refused with the token of a new device', async () => {
    const collector = await ready()
    const first = device()
    await collector.enrol(first, await collector.token())
    const [token, other] = [await collector.token(), await collector.token()]
    expect(await errorCodeOf(() => collector.begin(device({ tpm: first.tpm }), token))).toBe(
      'enrol.ek-already-enrolled',
    )
    const copied = { ...device(), deviceKey: first.deviceKey, signer: first.signer }
    expect(await errorCodeOf(() => collector.begin(copied, other))).toBe('enrol.key-in-use')
  })

  it.each([
    ['the second time', false],
    ['the first time', true],
  ])('is refused although it hid behind another policy digest %s', async (_, disguisedFirst) => {
    const collector = await ready()
    const honest = certifiedTpm()
    const disguised = { ...honest, ek: { ...honest.ek, area: { ...honest.ek.area, authPolicy: random(32) } } }
    const [first, second] = disguisedFirst ? [disguised, honest] : [honest, disguised]
    await collector.enrol(device({ tpm: first }), await collector.token())
    const token = await collector.token()
    expect(await errorCodeOf(() => collector.begin(device({ tpm: second }), token))).toBe('enrol.ek-already-enrolled')
  })

  it('is refused at the end when both began before either ended', async () => {
    const collector = await ready()
    const tpm = certifiedTpm()
    const [one, two] = [device({ tpm }), device({ tpm })]
    const [tokenOne, tokenTwo] = [await collector.token(), await collector.token()]
    const challenges = [await collector.begin(one, tokenOne), await collector.begin(two, tokenTwo)] as const
    const bodies = [await finishBody(one, tokenOne, challenges[0]), await finishBody(two, tokenTwo, challenges[1])]
    const codes = await Promise.all(
      bodies.map((body) => errorCodeOf(() => finishEnrolment(body, collector.dependencies))),
    )
    expect(codes.filter((code) => code === undefined)).toHaveLength(1)
    expect(codes).toContain('enrol.ek-already-enrolled')
    const [device1] = await collector.devices()
    expect(device1?.serial).toBe('0001')
    // The loser's token was not used up: its transaction left nothing behind.
    const tokens = (await collector.store.enrolmentTokens.list({ limit: 10 })).items
    expect(tokens.filter(({ usedAt }) => usedAt !== null)).toHaveLength(1)
  })
})

describe('re-enrolment', () => {
  async function enrolled(changes: Parameters<Collector['product']>[0] = {}, first = device()) {
    const collector = await ready(changes)
    const { ueid } = await collector.enrol(first, await collector.token())
    const again = await collector.token(ueid)
    const stored = async () => collector.store.devices.byUeid(ueid as Ueid)
    return { collector, ueid, first, again, stored }
  }

  it('keeps the UEID and the state, and takes the new keys', async () => {
    const { collector, ueid, first, again, stored } = await enrolled()
    const before = await stored()
    if (before === undefined) throw new Error('no device')
    await collector.store.devices.saveState(before.id, {
      ...initialDeviceState,
      verdict: 'contraindicated',
      verdictCode: 'quote.missing',
      latch: 'failed',
    })
    const second = device({ tpm: first.tpm })
    const grant = await collector.enrol(second, again)
    expect(grant.ueid).toBe(ueid)
    const after = await stored()
    expect(after?.id).toBe(before.id)
    expect(after?.deviceKeyThumbprint).not.toEqual(before.deviceKeyThumbprint)
    expect(await collector.store.devices.stateOf(before.id)).toMatchObject({
      verdict: 'contraindicated',
      latch: 'failed',
    })
    const [entry] = await collector.audit('device.re-enrol')
    expect(entry).toMatchObject({ subject: ueid, detail: { tpmReplaced: false, deviceKeyReplaced: true } })
    expect(await collector.devices()).toHaveLength(1)
  })

  it('allows another TPM on the same device, and says so in the audit log', async () => {
    const { collector, again, ueid } = await enrolled()
    expect((await collector.enrol(device(), again)).ueid).toBe(ueid)
    expect((await collector.audit('device.re-enrol'))[0]?.detail).toMatchObject({ tpmReplaced: true })
  })

  it.each([
    ['another TPM, whose clock is another', device(), null],
    ['the same TPM, whose clock goes on', undefined, 5_000n],
  ])('with %s', async (_, other, clockMs) => {
    const { collector, first, again, stored } = await enrolled()
    const before = await stored()
    if (before === undefined) throw new Error('no device')
    const tpmClock = { clockMs: 5_000n, resetCount: 9, restartCount: 0, observedAt: 1 }
    await collector.store.devices.saveState(before.id, { ...initialDeviceState, latch: 'failed', tpmClock })
    await collector.enrol(other ?? device({ tpm: first.tpm }), again)
    const after = await collector.store.devices.stateOf(before.id)
    expect([after.latch, after.tpmClock?.clockMs ?? null]).toEqual(['failed', clockMs])
  })

  it('refuses a device that had a TPM and now shows none', async () => {
    const { collector, again } = await enrolled({ identityPolicy: 'software' })
    expect(await errorCodeOf(() => collector.begin(device({ tpm: null }), again))).toBe('enrol.ek-conflict')
  })

  it('refuses the TPM or the device key of a third device', async () => {
    const { collector, again } = await enrolled()
    const third = device({ product: { ...PRODUCT, serial: '0003' } })
    await collector.enrol(third, await collector.token())
    expect(await errorCodeOf(() => collector.begin(device({ tpm: third.tpm }), again))).toBe(
      'enrol.ek-already-enrolled',
    )
    const copied = { ...device(), deviceKey: third.deviceKey, signer: third.signer }
    expect(await errorCodeOf(() => collector.begin(copied, again))).toBe('enrol.key-in-use')
  })

  it('refuses another unit than the one that the token is for', async () => {
    const { collector, again } = await enrolled()
    const other = device({ product: { ...PRODUCT, serial: '0002' } })
    expect(await errorCodeOf(() => collector.begin(other, again))).toBe('enrol.product-mismatch')
  })

  it('refuses a token for a device that there is not', async () => {
    const { collector } = await enrolled()
    const token = await collector.token(`01${'00'.repeat(16)}`)
    expect(await errorCodeOf(() => collector.begin(device(), token))).toBe('enrol.token-unknown')
  })

  it('holds the identity policy again', async () => {
    const { collector, again } = await enrolled()
    expect(await errorCodeOf(() => collector.begin(device({ tpm: uncertifiedTpm() }), again))).toBe(
      'enrol.ek-untrusted',
    )
  })

  it.each(['revoked', 'pending'] as const)('lets a %s device wait for a person', async (enrolment) => {
    const { collector, first, again, stored } = await enrolled()
    const before = await stored()
    if (before === undefined) throw new Error('no device')
    await collector.store.devices.updateEnrolment(before.id, enrolment, collector.now)
    await collector.enrol(device({ tpm: first.tpm }), again)
    expect((await stored())?.enrolment).toBe('pending')
  })
})
