import { describe, expect, test } from 'vitest'
import { verifyGrant } from '../../../agent/enrol/grant.ts'
import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import type { EnrolmentGrant } from '../../../shared/evidence/enrolment.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { createPki } from '../../support/pki.ts'

const UEID = `01${'ab'.repeat(16)}`
const pki = createPki()
const device = pki.device(UEID)
const GRANT: EnrolmentGrant = {
  ueid: UEID,
  identity: 'tpm-endorsed',
  certificate: device.cert,
  certificateAuthority: pki.authority,
  receiptKey: toBase64Url(new Uint8Array(32)),
  mqttUrl: 'mqtts://collector.example:8883',
}

describe('a grant', () => {
  test('that fits is taken', () => {
    expect(verifyGrant(GRANT, device.key, true)).toMatchObject({ ueid: UEID, receiptSecret: new Uint8Array(32) })
  })

  test.each<[string, Partial<EnrolmentGrant>, boolean?]>([
    ['with an id that is no UEID', { ueid: 'gateway-1' }],
    ['for another device', { ueid: `01${'cd'.repeat(16)}` }],
    ['with a certificate for another key', { certificate: pki.device(UEID).cert }],
    ['with a certificate by another authority', { certificateAuthority: createPki().authority }],
    ['with a certificate that is none', { certificate: 'PEM' }],
    ['with a short receipt key', { receiptKey: toBase64Url(new Uint8Array(16)) }],
    ['with a receipt key that is no base64url', { receiptKey: '====' }],
    ['with a broker without TLS', { mqttUrl: 'mqtt://collector.example' }],
    ['that takes a device with a TPM for one without', { identity: 'software' }],
    ['that takes a device without a TPM for one with', {}, false],
  ])('%s is refused', async (_, changes, hasTpm = true) => {
    const grant = { ...GRANT, ...changes }
    expect(await errorCodeOf(() => verifyGrant(grant, device.key, hasTpm))).toBe('collector.refused')
  })
})
