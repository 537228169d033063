import { describe, expect, it } from 'vitest'
import { readClaims } from '../../../../collector/trust/enrolment/claims.ts'
import { checkProofs } from '../../../../collector/trust/enrolment/proof.ts'
import { fromBase64Url, toBase64Url } from '../../../../shared/bytes/bytes.ts'
import { encodeCoseKey } from '../../../../shared/cose/key.ts'
import { credentialPrimitives } from '../../../../shared/crypto/node-credential.ts'
import { hash, random, sha256 } from '../../../../shared/crypto/node.ts'
import { enrolmentBinding } from '../../../../shared/evidence/binding.ts'
import type { EnrolmentFinish } from '../../../../shared/evidence/enrolment.ts'
import { makeCredential } from '../../../../shared/tpm/credential.ts'
import { beginBody, enrollingDevice, finishBody, softwareTpm, termsOf } from '../../../support/enrolling-device.ts'
import { errorCodeOf } from '../../../support/failure.ts'
import { ed25519Signer } from '../../../support/node-signer.ts'

const TOKEN = `kse_${'A'.repeat(43)}`

async function answered() {
  const tpm = softwareTpm(() => null)
  const device = enrollingDevice({ tpm })
  const { token: _, ...request } = beginBody(device, TOKEN)
  const secret = random(32)
  const credential = makeCredential({
    ek: tpm.ek.area,
    akName: tpm.ak.name,
    secret,
    primitives: credentialPrimitives,
    random,
  })
  const challenge = {
    enrolmentId: 'enr_1',
    challenge: toBase64Url(random(32)),
    collectorKey: toBase64Url(encodeCoseKey({ curve: 'Ed25519', x: ed25519Signer(random(32)).x })),
    collectorId: toBase64Url(random(16)),
    credential: {
      credentialBlob: toBase64Url(credential.credentialBlob),
      encryptedSecret: toBase64Url(credential.encryptedSecret),
    },
  }
  const body = await finishBody(device, TOKEN, challenge)
  if (body.tpm === null) throw new Error('no TPM')
  const binding = enrolmentBinding(termsOf(device, TOKEN, challenge), hash)
  const claims = readClaims(request)
  const check = (answer: EnrolmentFinish) => errorCodeOf(() => checkProofs(answer, claims, sha256(secret), binding))
  return { body: { ...body, tpm: body.tpm }, check }
}

describe('proofs of an enrolment', () => {
  it('stand when nothing was changed', async () => {
    const { body, check } = await answered()
    expect(await check(body)).toBeUndefined()
  })

  it.each([
    ['the attested structure', 'attest', 'enrol.binding-invalid'],
    ['its signature', 'signature', 'enrol.binding-invalid'],
    ['the secret', 'secret', 'enrol.secret-wrong'],
    ['the proof of the device key', 'proof', 'enrol.binding-invalid'],
  ] as const)('fall with any changed bit in %s', async (_, part, code) => {
    const { body, check } = await answered()
    const bytes = fromBase64Url(part === 'proof' ? body.proof : body.tpm[part])
    const accepted: string[] = []
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
      const text = toBase64Url(flipped)
      const changed = part === 'proof' ? { ...body, proof: text } : { ...body, tpm: { ...body.tpm, [part]: text } }
      const ended = await check(changed)
      if (ended !== code) accepted.push(`bit ${bit}: ${ended}`)
    }
    expect(accepted).toEqual([])
  })

  it('fall with a byte more or less', async () => {
    const { body, check } = await answered()
    for (const part of ['attest', 'signature'] as const) {
      const bytes = fromBase64Url(body.tpm[part])
      for (const changed of [bytes.subarray(0, -1), Uint8Array.of(...bytes, 0)]) {
        const tpm = { ...body.tpm, [part]: toBase64Url(changed) }
        expect(await check({ ...body, tpm })).toBe('enrol.binding-invalid')
      }
    }
  })
})
