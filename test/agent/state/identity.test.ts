import { chmodSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadIdentity, saveIdentity } from '../../../agent/state/identity.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { createReceipt, openDownMessage } from '../../../shared/evidence/down.ts'
import { openEpoch, signEpoch } from '../../../shared/evidence/epoch.ts'
import { ed25519Key, equalConstantTime } from '../../../shared/crypto/node.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { identityMaterial, UEID } from './identity-sample.ts'

const scratch = useScratchDirectories('identity')
const saved = async (): Promise<string> => {
  const directory = scratch()
  await saveIdentity(directory, identityMaterial())
  return directory
}
const FILES = ['ca.pem', 'device-key', 'enrolment.json', 'receipt-key', 'tls-certificate.pem', 'tls-key.pem']

test('an identity that was saved is loaded with keys that work', async () => {
  const identity = await loadIdentity(await saved())
  const { signer, collector, receiptKey } = identity
  expect(identity).toMatchObject({ ueid: UEID, assurance: 'tpm-endorsed', attestationKey: { kind: 'ecdsa-p256' } })

  const message = utf8('evidence')
  const signature = await signer.sign(message)
  expect(ed25519Key(signer.publicKey.x).verify(message, signature)).toBe(true)
  expect(ed25519Signer(new Uint8Array(32).fill(7)).x).toEqual(signer.publicKey.x)

  const epoch = { collectorId: collector.id, number: 4, nonce: new Uint8Array(32), issuedAt: 1, period: 300 }
  const { signer: collectorSigner } = ed25519Signer(new Uint8Array(32).fill(1))
  expect(openEpoch(await signEpoch(epoch, collectorSigner), collector.key)).toEqual(epoch)

  const receipt = { number: 1, sessions: [], refused: [] }
  const bytes = createReceipt(UEID, receipt, receiptKey)
  expect(openDownMessage(bytes, UEID, receiptKey, equalConstantTime)).toEqual({ role: 'receipt', receipt })
})

test('all files are private, and in one directory that a single rename put in force', async () => {
  const directory = await saved()
  expect(readdirSync(join(directory, 'identity')).sort()).toEqual(FILES)
  for (const name of FILES) expect(statSync(join(directory, 'identity', name)).mode & 0o777).toBe(0o600)
  expect(statSync(join(directory, 'identity')).mode & 0o777).toBe(0o700)
})

test('a second enrolment replaces the first, whose secrets are gone', async () => {
  const directory = await saved()
  await saveIdentity(directory, identityMaterial({ deviceKeySeed: new Uint8Array(32).fill(8) }))
  expect((await loadIdentity(directory)).signer.publicKey.x).toEqual(ed25519Signer(new Uint8Array(32).fill(8)).x)
  expect(readdirSync(directory)).toHaveLength(2)
})

describe('a machine without identity is not enrolled', () => {
  test('also where there is no state directory at all', async () => {
    const directory = scratch()
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('agent.not-enrolled')
    expect(await errorCodeOf(() => loadIdentity(join(directory, 'none')))).toBe('agent.not-enrolled')
  })

  test('also when a save died before its last step, and the next save cleans up', async () => {
    const directory = scratch()
    await saveIdentity(directory, identityMaterial())
    rmSync(join(directory, 'identity'))
    symlinkSync('identity-torn', join(directory, 'identity.new'))
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('agent.not-enrolled')
    await saveIdentity(directory, identityMaterial())
    expect(readdirSync(directory)).toHaveLength(2)
  })
})

describe('an identity is not used', () => {
  test.each(FILES)('without %s', async (name) => {
    const directory = await saved()
    rmSync(join(directory, 'identity', name))
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('state.unreadable')
  })

  test.each(FILES)('with %s truncated', async (name) => {
    const directory = await saved()
    const path = join(directory, 'identity', name)
    writeFileSync(path, readFileSync(path).subarray(0, 40))
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('state.unreadable')
  })

  test.each([...FILES, '.'])('when others can read %s', async (name) => {
    const directory = await saved()
    chmodSync(join(directory, 'identity', name), name === '.' ? 0o755 : 0o644)
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('state.insecure-permissions')
  })

  test('when others can enter the state directory', async () => {
    const directory = await saved()
    chmodSync(directory, 0o710)
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('state.insecure-permissions')
  })

  test('with a device key in which a bit flipped', async () => {
    const directory = await saved()
    const path = join(directory, 'identity', 'device-key')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^07/, '06'))
    expect(await errorCodeOf(() => loadIdentity(directory))).toBe('state.unreadable')
  })

  test.each([
    ['another TLS key', () => ({ tls: { ...identityMaterial().tls, privateKey: identityMaterial().tls.privateKey } })],
    ["another device's certificate", () => ({ ueid: `01${'cd'.repeat(16)}` as typeof UEID })],
  ])('with %s', async (_, changes) => {
    expect(await errorCodeOf(() => saveIdentity(scratch(), identityMaterial(changes())))).toBe('state.unreadable')
  })
})
