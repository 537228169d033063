import { describe, expect, it } from 'vitest'
import { beginEnrolment } from '../../../../collector/trust/enrolment/begin.ts'
import { toBase64Url } from '../../../../shared/bytes/bytes.ts'
import { random } from '../../../../shared/crypto/node.ts'
import type { ObjectAttribute } from '../../../../shared/tpm/attributes.ts'
import { encodePublic } from '../../../../shared/tpm/public.ts'
import {
  beginBody,
  enrollingDevice,
  PRODUCT,
  softwareTpm,
  type SoftwareTpm,
} from '../../../support/enrolling-device.ts'
import { errorCodeOf } from '../../../support/failure.ts'
import { softwareEndorsementKey } from '../../../support/software-ek.ts'
import { authority, ekCertificate } from '../../../support/test-certificates.ts'
import { certifiedTpm, root, uncertifiedTpm, useCollectors } from '../../../support/enrolment-collector.ts'

const newCollector = useCollectors()

const ready = async (changes: Parameters<Awaited<ReturnType<typeof newCollector>>['product']>[0] = {}) => {
  const collector = await newCollector()
  await collector.product(changes)
  return collector
}

const device = (changes: Parameters<typeof enrollingDevice>[0] = {}) =>
  enrollingDevice({ tpm: certifiedTpm(), ...changes })

describe('enrolment token', () => {
  it('is refused when nobody made it', async () => {
    const collector = await ready()
    expect(await errorCodeOf(() => collector.begin(device(), `kse_${toBase64Url(random(32))}`))).toBe(
      'enrol.token-unknown',
    )
  })

  it('is refused after its end', async () => {
    const collector = await ready()
    const token = await collector.token(null, 1000)
    collector.now += 1000
    expect(await errorCodeOf(() => collector.begin(device(), token))).toBe('enrol.token-expired')
  })

  it('is refused the second time', async () => {
    const collector = await ready()
    const token = await collector.token()
    await collector.enrol(device(), token)
    expect(await errorCodeOf(() => collector.begin(device(), token))).toBe('enrol.token-used')
  })

  it('is held for ten minutes for the device that began, which may begin again', async () => {
    const collector = await ready()
    const token = await collector.token()
    const [first, second] = [device(), device()]
    await collector.begin(first, token)
    expect(await errorCodeOf(() => collector.begin(second, token))).toBe('enrol.token-reserved')
    expect(await errorCodeOf(() => collector.begin({ ...first, tpm: certifiedTpm() }, token))).toBe(
      'enrol.token-reserved',
    )
    expect(await errorCodeOf(() => collector.begin(device({ tpm: first.tpm }), token))).toBe('enrol.token-reserved')
    await collector.begin(first, token)
    collector.now += 600_000
    await collector.begin(second, token)
  })

  it('is for one product', async () => {
    const collector = await ready()
    const token = await collector.token()
    for (const change of [{ vendor: 'Acme ' }, { model: 'GW-2' }]) {
      const other = device({ product: { ...PRODUCT, ...change } })
      expect(await errorCodeOf(() => collector.begin(other, token))).toBe('enrol.product-mismatch')
    }
    await collector.begin(device(), token)
  })

  it('stays free after a refusal of the first call', async () => {
    const collector = await ready()
    const token = await collector.token()
    expect(await errorCodeOf(() => collector.begin(device({ tpm: uncertifiedTpm() }), token))).toBe(
      'enrol.ek-untrusted',
    )
    await collector.begin(device(), token)
  })

  it('is stored nowhere but as its hash', async () => {
    const collector = await ready()
    const token = await collector.token()
    const { enrolmentId } = await collector.begin(device(), token)
    const pending = await collector.store.pendingEnrolments.take(enrolmentId)
    expect(JSON.stringify(pending)).not.toContain(token)
    expect(JSON.stringify(await collector.store.auditLog.list({ limit: 10 }))).not.toContain(token)
  })
})

describe('identity policy', () => {
  const begin = async (identityPolicy: 'endorsed' | 'tofu' | 'software', tpm: SoftwareTpm | null) => {
    const collector = await ready({ identityPolicy })
    const token = await collector.token()
    const { enrolmentId } = await collector.begin(device({ tpm }), token)
    return (await collector.store.pendingEnrolments.take(enrolmentId))?.identity
  }

  it('gives each device the strongest identity that it can prove', async () => {
    for (const policy of ['endorsed', 'tofu', 'software'] as const) {
      expect(await begin(policy, certifiedTpm())).toBe('tpm-endorsed')
    }
    for (const policy of ['tofu', 'software'] as const) expect(await begin(policy, uncertifiedTpm())).toBe('tpm-tofu')
    expect(await begin('software', null)).toBe('software')
  })

  it('refuses a device without a TPM on a product that requires one', async () => {
    expect(await errorCodeOf(() => begin('endorsed', null))).toBe('enrol.software-refused')
    expect(await errorCodeOf(() => begin('tofu', null))).toBe('enrol.software-refused')
  })

  it('refuses a TPM that no known root certifies, unless the product allows it', async () => {
    const foreign = () => softwareTpm((publicKeyInfo) => ekCertificate(publicKeyInfo, authority('Foreign root', null)))
    expect(await errorCodeOf(() => begin('endorsed', foreign()))).toBe('enrol.ek-untrusted')
    expect(await begin('tofu', foreign())).toBe('tpm-tofu')
  })

  it('refuses the certificate of another endorsement key under every policy', async () => {
    const stolen = () => softwareTpm(() => ekCertificate(softwareEndorsementKey().publicKeyInfo, root))
    for (const policy of ['endorsed', 'tofu', 'software'] as const) {
      expect(await errorCodeOf(() => begin(policy, stolen()))).toBe('enrol.ek-certificate-mismatch')
    }
  })
})

describe('keys of the first call', () => {
  const withAk = async (change: (attributes: Set<ObjectAttribute>) => void) => {
    const collector = await ready()
    const token = await collector.token()
    const tpm = certifiedTpm()
    const attributes = new Set(tpm.ak.area.attributes)
    change(attributes)
    const body = beginBody(device({ tpm }), token)
    const akPublic = toBase64Url(encodePublic({ ...tpm.ak.area, attributes }))
    const changed = { ...body, tpm: body.tpm === null ? null : { ...body.tpm, akPublic } }
    return errorCodeOf(() => beginEnrolment(changed, collector.dependencies))
  }

  it.each(['restricted', 'sign', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const)(
    'refuses an attestation key without %s',
    async (attribute) => {
      expect(await withAk((attributes) => attributes.delete(attribute))).toBe('enrol.ak-refused')
    },
  )

  it('refuses an attestation key that decrypts', async () => {
    expect(await withAk((attributes) => attributes.add('decrypt'))).toBe('enrol.ak-refused')
  })

  it('makes a credential for the name that the key has, not for one that was sent', async () => {
    const collector = await ready()
    const tpm = certifiedTpm()
    const { credential } = await collector.begin(device({ tpm }), await collector.token())
    const decode = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
    const blob = {
      credentialBlob: decode(credential?.credentialBlob),
      encryptedSecret: decode(credential?.encryptedSecret),
    }
    expect(tpm.ek.activate(blob, tpm.ak.name)).toHaveLength(32)
    expect(tpm.ek.activate(blob, Buffer.alloc(34))).toBeUndefined()
  })

  it('refuses an endorsement key that could sign or leave its TPM', async () => {
    for (const change of [
      (attributes: Set<ObjectAttribute>) => attributes.add('sign'),
      (attributes: Set<ObjectAttribute>) => attributes.delete('fixedTPM'),
      (attributes: Set<ObjectAttribute>) => attributes.delete('restricted'),
    ]) {
      const collector = await ready({ identityPolicy: 'tofu' })
      const tpm = certifiedTpm()
      const attributes = new Set(tpm.ek.area.attributes)
      change(attributes)
      const changed = { ...tpm, ek: { ...tpm.ek, area: { ...tpm.ek.area, attributes } } }
      const token = await collector.token()
      expect(await errorCodeOf(() => collector.begin(device({ tpm: changed }), token))).toBe('enrol.ek-untrusted')
    }
  })

  it.each([
    ['deviceKey', { deviceKey: 'AAAA' }],
    ['tlsRequest', { tlsRequest: 'AAAA' }],
    ['base64url with stray bits', { deviceKey: 'AB' }],
  ])('refuses what cannot be read: %s', async (_, change) => {
    const collector = await ready()
    const body = { ...beginBody(device(), await collector.token()), ...change }
    expect(await errorCodeOf(() => beginEnrolment(body, collector.dependencies))).toBe('request.invalid')
  })
})

describe('audit log', () => {
  it('has the beginning with what vouches for the TPM, and every refusal', async () => {
    const collector = await ready()
    const token = await collector.token()
    await errorCodeOf(() => collector.begin(device({ tpm: null }), token))
    const { enrolmentId } = await collector.begin(device(), token)
    const [begun] = await collector.audit('enrolment.begin')
    expect(begun).toMatchObject({
      subject: enrolmentId,
      detail: { identity: 'tpm-endorsed', tpm: { model: 'model A' }, serial: '0001' },
    })
    const [refused] = await collector.audit('enrolment.refuse')
    expect(refused?.detail).toMatchObject({ code: 'enrol.software-refused' })
  })
})
