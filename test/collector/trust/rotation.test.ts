import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KEY_FILES, loadOrCreateKeys, type CollectorKeys } from '../../../collector/trust/keys.ts'
import { rotate, type RotationOrder } from '../../../collector/trust/rotation.ts'
import { ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { collectorKeyOf } from '../../../collector/trust/succession.ts'
import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import { random } from '../../../shared/crypto/node.ts'
import { keysAfter, keysAfterThumbprint } from '../../../shared/evidence/key-history.ts'
import { MAX_SUCCESSION_BYTES, successorsOf } from '../../../shared/evidence/succession.ts'
import { certificatesIn } from '../../../shared/text/pem.ts'
import { errorCodeOf } from '../../support/failure.ts'

const NOW = Date.UTC(2026, 10, 22)
const NOTHING = { signingKey: false, authority: false, dropFormer: false }
const ADDRESSES = { mqttUrl: 'mqtts://broker.example:8883', collectorUrl: 'https://collector.example:8443' }

let dataDirectory: string
beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'keepseal-rotation-'))
})
afterEach(() => rm(dataDirectory, { recursive: true }))

const load = (): Promise<CollectorKeys> => loadOrCreateKeys({ dataDirectory, now: NOW, random })
const turn = async (changes: Partial<RotationOrder>) =>
  rotate({ keys: await load(), ...NOTHING, ...ADDRESSES, now: NOW, random, ...changes })

/** Where a device ends that has trusted these keys at their number. */
const led = (from: CollectorKeys, to: CollectorKeys) => {
  const trusted = {
    id: from.collectorId,
    key: collectorKeyOf(from.publicKey.x),
    number: from.succession?.newest.number ?? 0,
  }
  return successorsOf(trusted, to.succession?.bytes ?? new Uint8Array(0), collectorKeyOf).at(-1)
}

describe('a rotation', () => {
  it('of the signing key is followed from the key before it', async () => {
    const before = await load()
    expect(before.succession).toBeNull()
    expect(await turn({ signingKey: true })).toEqual({ number: 1, dropped: 0 })
    const after = await load()
    expect(equal(after.publicKey.x, before.publicKey.x)).toBe(false)
    expect(toHex(led(before, after)?.key ?? new Uint8Array(0))).toBe(toHex(after.publicKey.x))
    expect(after.authority.certificate).toBe(before.authority.certificate)
    expect(toHex(after.challengeKey)).toBe(toHex(before.challengeKey))
    expect(led(after, after)).toBeUndefined()
  })

  it('of the authority lets the former one hold on, until it is dropped', async () => {
    const before = await load()
    await turn({ authority: true })
    const after = await load()
    expect(certificatesIn(after.authorities)).toEqual([after.authority.certificate, before.authority.certificate])
    expect(after.authority.certificate).not.toBe(before.authority.certificate)
    const told = led(before, after)?.authorities.map((der) => new X509Certificate(der).fingerprint256)
    expect(told).toEqual(certificatesIn(after.authorities).map((pem) => new X509Certificate(pem).fingerprint256))
    await turn({ dropFormer: true })
    expect((await load()).authorities).toBe(after.authority.certificate)
    expect(led(before, await load())?.authorities).toHaveLength(1)
  })

  it('keeps a server certificate by the former authority while that holds, and makes another one then', async () => {
    const serverOf = ({ directory, authority, authorities }: CollectorKeys) =>
      ensureServerCertificate({ directory, authority, authorities, names: ['localhost'], now: NOW, random })
    const first = await serverOf(await load())
    await turn({ authority: true })
    expect(await serverOf(await load())).toEqual(first)
    await turn({ dropFormer: true })
    const keys = await load()
    const x509 = new X509Certificate((await serverOf(keys)).certificate)
    expect(x509.checkIssued(new X509Certificate(keys.authority.certificate))).toBe(true)
  })

  it('leads from every state before it to the newest, and holds only what is needed for that', async () => {
    const states = [await load()]
    for (const change of [
      {},
      { signingKey: true },
      { authority: true },
      {},
      { signingKey: true },
      { dropFormer: true },
    ]) {
      await turn(change)
      states.push(await load())
    }
    const end = states.at(-1) as CollectorKeys
    for (const state of states.slice(0, -1)) expect(led(state, end)?.number).toBe(6)
    // The two that named a new key, and the newest.
    expect(end.succession?.statements.map(({ number }) => number)).toEqual([2, 5, 6])
  })

  it('forgets the oldest statements where not all of them find room, and says so', async () => {
    const [first, long] = [await load(), `mqtts://${'a'.repeat(220)}.example:8883`]
    let dropped = 0
    let number = 0
    const addresses = { mqttUrl: long, collectorUrl: `https://${'b'.repeat(220)}.example` }
    while (dropped === 0) ({ dropped, number } = await turn({ signingKey: true, ...addresses }))
    const keys = await load()
    expect(
      keysAfter(keys.keyHistory.first ?? new Uint8Array(), keys.keyHistory.statements, collectorKeyOf).newest.x,
    ).toEqual(keys.publicKey.x)
    expect(keys.succession?.bytes.length).toBeLessThanOrEqual(MAX_SUCCESSION_BYTES)
    expect(keys.succession?.newest.number).toBe(number)
    expect(led(first, keys)).toBeUndefined()
  })

  it('keeps the public half of the key that the chain begins with, for who knows its thumbprint alone', async () => {
    const first = await load()
    expect(first.keyHistory).toEqual({ first: first.publicKey.x, statements: [] })
    for (const change of [{}, { signingKey: true }, { authority: true }, { signingKey: true }]) await turn(change)
    const { keyHistory, publicKey } = await load()
    const chain = keysAfterThumbprint(first.signer.keyId, keyHistory, collectorKeyOf)
    expect(toHex(chain?.newest.x ?? new Uint8Array())).toBe(toHex(publicKey.x))
    expect(chain?.keys).toHaveLength(3)
  })

  it('goes on with a chain whose first key an earlier version did not keep, and with one that is not its own', async () => {
    await turn({ signingKey: true })
    const { directory, keyHistory, publicKey } = await load()
    const file = join(directory, KEY_FILES.firstKey)
    await writeFile(file, `${toHex(random(32))}\n`, { mode: 0o600 })
    expect((await load()).keyHistory).toEqual({ ...keyHistory, first: null })
    await rm(file)
    expect((await load()).keyHistory.first).toBeNull()
    await turn({ signingKey: true })
    const after = await load()
    expect(after.keyHistory.first).toBeNull()
    expect(keysAfter(publicKey.x, after.keyHistory.statements, collectorKeyOf).newest.x).toEqual(after.publicKey.x)
  })

  it('signs nothing that no device could read', async () => {
    expect(await errorCodeOf(() => turn({ mqttUrl: `mqtts://${'a'.repeat(250)}:8883` }))).toBe('usage.invalid')
    expect((await load()).succession).toBeNull()
  })

  it('adds no fifth authority', async () => {
    for (let count = 0; count < 3; count++) await turn({ authority: true })
    const before = await load()
    expect(await errorCodeOf(() => turn({ authority: true }))).toBe('request.conflict')
    expect((await load()).authorities).toBe(before.authorities)
  })

  it('that was interrupted while files were replaced is finished by whoever reads the keys next', async () => {
    const before = await load()
    await turn({ signingKey: true, authority: true })
    const after = await load()
    // As a power cut leaves it: some of the new files in their places, the others still to come.
    const { directory } = after
    const begun = join(directory, 'rotation')
    await mkdir(begun, { mode: 0o700 })
    for (const name of [KEY_FILES.authorityKey, KEY_FILES.succession])
      await rename(join(directory, name), join(begun, name))
    const found = await Promise.all([load(), load()])
    for (const keys of found) expect(toHex(keys.publicKey.x)).toBe(toHex(after.publicKey.x))
    expect(led(before, found[0] as CollectorKeys)?.number).toBe(1)
    expect(await readdir(directory)).not.toContain('rotation')
  })

  it('of another collector, or a chain that does not lead to the key, is damage', async () => {
    await turn({ signingKey: true })
    const { directory } = await load()
    const chain = join(directory, KEY_FILES.succession)
    const older = await readFile(chain)
    await turn({ signingKey: true })
    await writeFile(chain, older, { mode: 0o600 })
    expect(await errorCodeOf(load)).toBe('state.unreadable')
    await writeFile(chain, 'no chain', { mode: 0o600 })
    expect(await errorCodeOf(load)).toBe('state.unreadable')
  })
})
