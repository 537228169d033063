import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { activateCredential } from '../../../agent/tpm/activation.ts'
import { createAttestationKey, openAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { TpmCommandError } from '../../../agent/tpm/command-error.ts'
import { readTpmAttributes } from '../../../agent/tpm/commands/attributes.ts'
import { describeTpm, readCurves } from '../../../agent/tpm/commands/capabilities.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { readPublic } from '../../../agent/tpm/commands/keys.ts'
import { readNvIndex } from '../../../agent/tpm/commands/nv.ts'
import { extendPcr, readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { startPolicySession, useEndorsementPassword } from '../../../agent/tpm/commands/sessions.ts'
import { DeviceTpm } from '../../../agent/tpm/device/device-tpm.ts'
import { readEndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { ESAPI } from '../../../agent/tpm/esapi.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuoteWithPcrs, type QuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { hash, random } from '../../../shared/crypto/node.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import type { PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { DEFAULT_QUOTE_POLICY, verifyQuote } from '../../../shared/tpm/quote.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { swtpmChannel } from '../../support/socket-channel.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

/** The commands that are made here, on a real TPM implementation; what tpm2-tss gets out of it is what has to come out. */

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const ALL: PcrSelection = [{ bank: 'sha256', pcrs: Array.from({ length: 15 }, (_, pcr) => pcr) }]

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ banks: ['sha1', 'sha256', 'sha384'] })
})
afterAll(() => swtpm.stop())

const ways = {
  tss2: () => openTpm(swtpm.tcti),
  device: async (): Promise<Tpm> => new DeviceTpm(await swtpmChannel(swtpm.tcti)),
}

/** The TPM serves one client at a time. */
async function by<T>(way: keyof typeof ways, use: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await ways[way]()
  try {
    expect(tpm.transport).toBe(way)
    return await use(tpm)
  } finally {
    await tpm.close()
  }
}

async function byBoth<T>(use: (tpm: Tpm) => Promise<T>): Promise<[T, T]> {
  return [await by('tss2', use), await by('device', use)]
}

describe('both ways to a TPM', () => {
  test.each([
    ['what it is', describeTpm],
    ['its attributes and the PCRs of every bank', readTpmAttributes],
    ['its curves', readCurves],
    ['an index that is not there', (tpm: Tpm) => readNvIndex(tpm, 0x01c00099)],
    ['a certificate in NV, longer than one reading', (tpm: Tpm) => readNvIndex(tpm, 0x01c00002)],
  ])('read the same of %s', async (_, read: (tpm: Tpm) => Promise<unknown>) => {
    const [tss2, device] = await byBoth(read)
    expect(device).toEqual(tss2)
  })

  test.each(ENDORSEMENT_KEY_PROFILES.map((profile) => [profile.id, profile] as const))(
    'make the same endorsement key of template %s',
    async (_, profile) => {
      const [tss2, device] = await byBoth((tpm) => readEndorsementKey(tpm, [profile]))
      expect(device).toEqual(tss2)
    },
  )

  test.each(['ecdsa-p256', 'rsassa-2048'] as const)('make the same attestation key of kind %s', async (kind) => {
    const [tss2, device] = await byBoth(async (tpm) => {
      const key = await createAttestationKey(tpm, { kind, seed: seed(1) })
      return { name: key.name, publicBytes: key.publicBytes, read: await readPublic(tpm, key.handle) }
    })
    expect(device).toEqual(tss2)
    expect(Buffer.from(device.read.name)).toEqual(Buffer.from(device.name))
  })

  test('see the PCRs that the other has extended', async () => {
    await by('device', (tpm) => extendPcr(tpm, 9, new Map([['sha256', seed(3)]])))
    const [tss2, device] = await byBoth((tpm) => readPcrs(tpm, ALL))
    expect(device).toEqual(tss2)
    expect(device.get('sha256')?.get(9)).not.toEqual(new Uint8Array(32))
  })

  test.each(['ecdsa-p256', 'rsassa-2048'] as const)('quote by a key of kind %s so that it verifies', async (kind) => {
    const extraData = random(32)
    for (const way of ['tss2', 'device'] as const) {
      const { key, quote } = await by(way, async (tpm) => {
        const made = await createAttestationKey(tpm, { kind, seed: seed(2) })
        return { key: made, quote: await takeQuoteWithPcrs(tpm, made, { selection: ALL, extraData }) }
      })
      const signer = attestationKeyOf(
        key.publicArea,
        qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, key.name, hash),
        nodeCrypto,
      )
      const verify = (taken: QuoteWithPcrs) =>
        verifyQuote({ ...taken, signer, expectedExtraData: extraData, policy: DEFAULT_QUOTE_POLICY, hash })
      expect(verify(quote).pcrs).toEqual(quote.pcrs)
    }
  })

  test('take the context of a key that they have saved, and not that of the other', async () => {
    let saved: Uint8Array | undefined
    let saves = 0
    const store = {
      load: async () => saved,
      save: async (_: unknown, context: Uint8Array) => void ((saved = context), saves++),
    }
    const open = (tpm: Tpm) => openAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(4) }, store)
    const names = []
    for (const way of ['device', 'device', 'tss2', 'tss2', 'device'] as const) {
      names.push(Buffer.from((await by(way, open)).name).toString('hex'))
    }
    expect(new Set(names).size).toBe(1)
    expect(saves).toBe(3)
  })
})

describe('without tpm2-tss', () => {
  test.each(ENDORSEMENT_KEY_PROFILES.map((profile) => [profile.id, profile] as const))(
    'a credential for an endorsement key of template %s is activated, and one for another Name is refused',
    async (_, profile) => {
      await by('device', async (tpm) => {
        const ek = await readEndorsementKey(tpm, [profile])
        const ak = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
        const secret = random(32)
        const challenge = (akName: Uint8Array) =>
          makeCredential({ ek: ek.publicArea, akName, secret, primitives: credentialPrimitives, random })
        const activate = (akName: Uint8Array) => activateCredential(tpm, ek.template, ak.handle, challenge(akName))
        expect(Buffer.from(await activate(ak.name))).toEqual(Buffer.from(secret))
        const refusal = await refusalOf(activate(Uint8Array.of(0x00, 0x0b, ...seed(1))))
        expect(refusal).toBeInstanceOf(TpmCommandError)
        expect(refusal).toMatchObject({ code: 'tpm.command-failed', rc: 0x1df, command: 'TPM2_ActivateCredential' })
        expect(refusal.message).toContain('TPM_RC_INTEGRITY, parameter 1')
      })
    },
  )

  test('what the TPM refuses carries its code, and the connection stays usable', async () => {
    await by('device', async (tpm) => {
      const refusal = await refusalOf(tpm.execute(ESAPI.flushContext, [0x1234]))
      expect(refusal).toBeInstanceOf(TpmCommandError)
      await expect(readClock(tpm)).resolves.toMatchObject({ restartCount: 0 })
    })
  })

  test('bytes behind the structure that a command takes are not sent', async () => {
    await by('device', async (tpm) => {
      expect((await refusalOf(tpm.execute(ESAPI.contextLoad, [new Uint8Array(6000)]))).code).toBe('tpm.command-failed')
    })
  })

  test('a closed TPM holds no key or session, even where nobody flushed them', async () => {
    await by('device', async (tpm) => {
      await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
      await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
      await startPolicySession(tpm, 'sha256')
    })
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-transient')).toBe('')
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-loaded-session')).toBe('')
  })

  test('an endorsement hierarchy with a password is locked until it is given', async () => {
    await tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', 'secret')
    try {
      await by('device', async (tpm) => {
        expect((await refusalOf(readEndorsementKey(tpm))).code).toBe('tpm.hierarchy-locked')
        await useEndorsementPassword(tpm, utf8('wrong'))
        expect((await refusalOf(readEndorsementKey(tpm))).code).toBe('tpm.hierarchy-locked')
        await useEndorsementPassword(tpm, utf8('secret'))
        const ek = await readEndorsementKey(tpm)
        const ak = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
        const inputs = { ek: ek.publicArea, akName: ak.name, secret: seed(9), primitives: credentialPrimitives, random }
        const activated = await activateCredential(tpm, ek.template, ak.handle, makeCredential(inputs))
        expect(Buffer.from(activated)).toEqual(Buffer.from(seed(9)))
      })
    } finally {
      await tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', '-p', 'secret')
    }
  })
})
