import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { activateCredential } from '../../../agent/tpm/activation.ts'
import {
  chooseAttestationKeyKind,
  createAttestationKey,
  openAttestationKey,
  type AttestationKeyRequest,
} from '../../../agent/tpm/attestation-key.ts'
import { TpmCommandError } from '../../../agent/tpm/command-error.ts'
import { describeTpm } from '../../../agent/tpm/commands/capabilities.ts'
import { readPublic } from '../../../agent/tpm/commands/keys.ts'
import { useEndorsementPassword } from '../../../agent/tpm/commands/sessions.ts'
import { readEndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { fileKeyContextStore } from '../../../agent/tpm/key-context.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuote } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import { random } from '../../../shared/crypto/node.ts'
import { assertAttestationKey } from '../../../shared/tpm/attestation-key.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const ecdsa = (byte: number): AttestationKeyRequest => ({ kind: 'ecdsa-p256', seed: seed(byte) })
const rsassa = (byte: number): AttestationKeyRequest => ({ kind: 'rsassa-2048', seed: seed(byte) })

let swtpm: SoftwareTpm
let tpm: Tpm
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false })
})
afterAll(() => swtpm.stop())
beforeEach(async () => {
  tpm = await openTpm(swtpm.tcti)
})
afterEach(() => tpm.close())

/** Closes the TPM while `use` runs: it serves one client at a time. */
async function meanwhile(use: () => Promise<unknown>): Promise<void> {
  await tpm.close()
  await use()
  tpm = await openTpm(swtpm.tcti)
}

describe('the attestation key', () => {
  test.each([
    ['P-256', ecdsa],
    ['RSA', rsassa],
  ])('of kind %s is the same for a seed after a power cycle, and another for another seed', async (_, of) => {
    const first = await createAttestationKey(tpm, of(1))
    const other = await createAttestationKey(tpm, of(2))
    await meanwhile(() => swtpm.restart())
    const again = await createAttestationKey(tpm, of(1))
    expect(again.publicBytes).toEqual(first.publicBytes)
    expect(other.publicArea.unique).not.toEqual(first.publicArea.unique)
    expect(() => assertAttestationKey(first.publicArea)).not.toThrow()
  })

  test('has the Name that the TPM computes', async () => {
    const key = await createAttestationKey(tpm, ecdsa(1))
    expect(Buffer.from((await readPublic(tpm, key.handle)).name)).toEqual(Buffer.from(key.name))
  })

  test('is P-256 where the TPM has that curve', async () => {
    expect(await chooseAttestationKeyKind(tpm)).toBe('ecdsa-p256')
  })

  test('still quotes when the TPM is in lockout', async () => {
    const protectedIndex = '0x1500016'
    await meanwhile(async () => {
      await tpm2(swtpm.tcti, 'dictionarylockout', '-s', '-n', '1', '-t', '1000', '-l', '1000')
      await tpm2(
        swtpm.tcti,
        'nvdefine',
        protectedIndex,
        '-C',
        'o',
        '-s',
        '8',
        '-p',
        'right',
        '-a',
        'authread|authwrite',
      )
      await tpm2(swtpm.tcti, 'nvread', protectedIndex, '-C', protectedIndex, '-P', 'wrong').catch(() => undefined)
    })
    try {
      expect(await describeTpm(tpm)).toMatchObject({ inLockout: true, lockoutCounter: 1 })
      const key = await createAttestationKey(tpm, ecdsa(1))
      const request = { selection: [{ bank: 'sha256', pcrs: [0] }], extraData: seed(3) } as const
      await expect(takeQuote(tpm, key, request)).resolves.toBeDefined()
    } finally {
      await meanwhile(async () => {
        await tpm2(swtpm.tcti, 'dictionarylockout', '-c')
        await tpm2(swtpm.tcti, 'dictionarylockout', '-s', '-n', '32', '-t', '1000', '-l', '1000')
      })
    }
  })
})

describe('the context of the attestation key', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    file = join(directory, 'attestation-key')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const unsaved: unknown[] = []
  const onUnsaved = (cause: unknown): void => void unsaved.push(cause)

  /** The key's public bytes, and whether they came out of the file. */
  async function open(request: AttestationKeyRequest, bootId = 1): Promise<{ publicBytes: Uint8Array; made: boolean }> {
    const store = fileKeyContextStore(file, new Uint8Array(16).fill(bootId), onUnsaved)
    let made = false
    const watched = {
      ...store,
      save: (...saved: Parameters<typeof store.save>) => ((made = true), store.save(...saved)),
    }
    const key = await openAttestationKey(tpm, request, watched)
    await takeQuote(tpm, key, { selection: [{ bank: 'sha256', pcrs: [0] }], extraData: seed(3) })
    await tpm.flush(key.handle)
    return { publicBytes: key.publicBytes, made }
  }

  test('brings the key back within a boot', async () => {
    const first = await open(rsassa(1))
    await meanwhile(async () => undefined)
    const second = await open(rsassa(1))
    expect([first.made, second.made]).toEqual([true, false])
    expect(second.publicBytes).toEqual(first.publicBytes)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('is replaced after a boot, for another seed and for another kind', async () => {
    await open(ecdsa(1))
    expect((await open(ecdsa(1), 2)).made).toBe(true)
    expect((await open(ecdsa(2), 2)).made).toBe(true)
    expect((await open(rsassa(2), 2)).made).toBe(true)
    expect((await open(rsassa(2), 2)).made).toBe(false)
  })

  test('is replaced when the TPM was reset and the boot id was not', async () => {
    const first = await open(ecdsa(1))
    await meanwhile(() => swtpm.restart())
    const second = await open(ecdsa(1))
    expect(second).toEqual({ made: true, publicBytes: first.publicBytes })
  })

  test('that cannot be saved is reported, and the key is there all the same', async () => {
    file = join(directory, 'absent', 'attestation-key')
    expect((await open(ecdsa(1))).made).toBe(true)
    expect(unsaved).toHaveLength(1)
  })

  test('is replaced when the file is cut or altered', async () => {
    await open(ecdsa(1))
    const whole = readFileSync(file)
    writeFileSync(file, whole.subarray(0, whole.length - 10))
    expect((await open(ecdsa(1))).made).toBe(true)
    const altered = Buffer.from(readFileSync(file))
    altered.writeUInt8(altered.readUInt8(100) ^ 1, 100)
    writeFileSync(file, altered)
    expect((await open(ecdsa(1))).made).toBe(true)
  })
})

describe('activation of a credential', () => {
  const secret = random(32)
  const challenge = (ek: Parameters<typeof makeCredential>[0]['ek'], akName: Uint8Array) =>
    makeCredential({ ek, akName, secret, primitives: credentialPrimitives, random })

  test.each(['L-1', 'L-2', 'H-1', 'H-2', 'H-3'])(
    'gives the secret with an endorsement key of template %s',
    async (id) => {
      const profiles = ENDORSEMENT_KEY_PROFILES.filter((profile) => profile.id === id)
      const ek = await readEndorsementKey(tpm, profiles)
      const ak = await createAttestationKey(tpm, ecdsa(1))
      const answer = await activateCredential(tpm, ek.template, ak.handle, challenge(ek.publicArea, ak.name))
      expect(Buffer.from(answer)).toEqual(Buffer.from(secret))
    },
  )

  test('is refused for the Name of another attestation key', async () => {
    const ek = await readEndorsementKey(tpm)
    const ak = await createAttestationKey(tpm, ecdsa(1))
    const other = await createAttestationKey(tpm, ecdsa(2))
    await tpm.flush(other.handle)
    const refusal = await refusalOf(
      activateCredential(tpm, ek.template, ak.handle, challenge(ek.publicArea, other.name)),
    )
    expect(refusal).toBeInstanceOf(TpmCommandError)
    expect(refusal).toMatchObject({ code: 'tpm.command-failed', rc: 0x1df, command: 'Esys_ActivateCredential' })
  })

  test('leaves nothing in the TPM, refused or not', async () => {
    const ek = await readEndorsementKey(tpm)
    const ak = await createAttestationKey(tpm, ecdsa(1))
    const nobody = Uint8Array.of(0x00, 0x0b, ...seed(1))
    for (let i = 0; i < 5; i++) {
      await activateCredential(tpm, ek.template, ak.handle, challenge(ek.publicArea, ak.name))
      await refusalOf(activateCredential(tpm, ek.template, ak.handle, challenge(ek.publicArea, nobody)))
    }
  })
})

describe('an endorsement hierarchy with a password', () => {
  beforeEach(() => meanwhile(() => tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', 'secret')))
  afterEach(() => meanwhile(() => tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', '-p', 'secret')))

  test('is locked until the password is given', async () => {
    expect(await describeTpm(tpm)).toMatchObject({ endorsementPasswordSet: true })
    expect((await refusalOf(createAttestationKey(tpm, ecdsa(1)))).code).toBe('tpm.hierarchy-locked')
    expect((await refusalOf(readEndorsementKey(tpm))).code).toBe('tpm.hierarchy-locked')
    await useEndorsementPassword(tpm, utf8('wrong'))
    expect((await refusalOf(createAttestationKey(tpm, ecdsa(1)))).code).toBe('tpm.hierarchy-locked')

    await useEndorsementPassword(tpm, utf8('secret'))
    const ek = await readEndorsementKey(tpm)
    const ak = await createAttestationKey(tpm, ecdsa(1))
    const secret = random(32)
    const challenge = makeCredential({
      ek: ek.publicArea,
      akName: ak.name,
      secret,
      primitives: credentialPrimitives,
      random,
    })
    expect(Buffer.from(await activateCredential(tpm, ek.template, ak.handle, challenge))).toEqual(Buffer.from(secret))
  })
})
