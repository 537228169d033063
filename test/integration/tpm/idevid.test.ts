import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { idevid as check } from '../../../agent/doctor/idevid.ts'
import { describeTpm } from '../../../agent/tpm/commands/capabilities.ts'
import { DeviceTpm } from '../../../agent/tpm/device/device-tpm.ts'
import { readIdevid, signWithIdevid, type IdevidPlace } from '../../../agent/tpm/idevid.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { isSignedBy, readIdevid as readShown } from '../../../collector/trust/idevid.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { idevidStatement } from '../../../shared/evidence/binding.ts'
import { treeHost } from '../../support/host-tree.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { manufactureIdevid, type Manufacture } from '../../support/manufactured-idevid.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { swtpmChannel } from '../../support/socket-channel.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'

const hasTools = spawnSync('tpm2_createprimary', ['--version']).error === undefined
const scratch = useScratchDirectories('idevid')
const STATEMENT = idevidStatement(new Uint8Array(32).fill(7))
const RESTRICTED = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'

describe.runIf(hasTools)('an IDevID in the TPM (skipped without tpm2-tools)', () => {
  let swtpm: SoftwareTpm
  let made = 0
  beforeAll(async () => {
    swtpm = await startSwtpm({ withEkCertificate: false })
  })
  afterAll(() => swtpm.stop())

  /** At a handle and an NV index of its own. */
  async function manufactured(wanted: Omit<Manufacture, 'handle' | 'nvIndex'>) {
    const place = { handle: 0x81020000 + made, certificate: 0x01c90000 + made }
    made++
    const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
    const idevid = await manufactureIdevid(swtpm.tcti, {
      ...wanted,
      handle: hex(place.handle),
      nvIndex: hex(place.certificate),
    })
    return { ...idevid, place }
  }

  const ways = {
    tss2: () => openTpm(swtpm.tcti, { transport: 'tss2' }),
    device: async (): Promise<Tpm> => new DeviceTpm(await swtpmChannel(swtpm.tcti)),
  }

  async function by<T>(way: keyof typeof ways, use: (tpm: Tpm) => Promise<T>): Promise<T> {
    const tpm = await ways[way]()
    try {
      expect(tpm.transport).toBe(way)
      return await use(tpm)
    } finally {
      await tpm.close()
    }
  }

  const WAYS = ['tss2', 'device'] as const
  const refusalBy = (way: keyof typeof ways, place: IdevidPlace): Promise<string> =>
    by(way, async (tpm) => (await refusalOf(readIdevid(tpm, place))).code)

  test.each([
    ['P-256', { algorithm: 'ecc:ecdsa-sha256' }],
    ['P-256, without a scheme of its own', { algorithm: 'ecc' }],
    ['P-384', { algorithm: 'ecc384:ecdsa-sha384' }],
    ['RSA-2048 with PKCS #1', { algorithm: 'rsa2048:rsassa-sha256' }],
    ['RSA-2048 with PSS', { algorithm: 'rsa2048:rsapss-sha256:null' }],
    ['RSA-2048, without a scheme of its own', { algorithm: 'rsa2048' }],
    ['P-256, restricted (an IAK)', { algorithm: 'ecc:ecdsa-sha256:null', attributes: RESTRICTED }],
    ['RSA-2048, restricted (an IAK)', { algorithm: 'rsa2048:rsassa-sha256:null', attributes: RESTRICTED }],
  ])('signs by a key of %s, both ways', async (_, wanted) => {
    const { certificate, place } = await manufactured(wanted)
    const shown = readShown(certificate)
    for (const way of WAYS) {
      const [read, signature] = await by(way, async (tpm) => {
        const idevid = await readIdevid(tpm, place)
        return [idevid.certificate, await signWithIdevid(tpm, idevid, STATEMENT)] as const
      })
      // What fills up the index is no part of it.
      expect(Buffer.from(read).equals(certificate)).toBe(true)
      expect(isSignedBy(shown, STATEMENT, signature)).toBe(true)
      expect(isSignedBy(shown, idevidStatement(new Uint8Array(32)), signature)).toBe(false)
    }
  })

  test('that is restricted signs nothing that passes for an attestation', async () => {
    const { place } = await manufactured({ algorithm: 'ecc:ecdsa-sha256:null', attributes: RESTRICTED })
    const forged = new Uint8Array([0xff, 0x54, 0x43, 0x47, ...utf8('TPMS_ATTEST')])
    for (const way of WAYS) {
      const refusal = await by(way, async (tpm) => refusalOf(signWithIdevid(tpm, await readIdevid(tpm, place), forged)))
      expect(refusal.code).toBe('tpm.command-failed')
    }
  })

  test('is unusable where there is no key, no certificate, or one of another key', async () => {
    const first = await manufactured({ algorithm: 'ecc:ecdsa-sha256' })
    const second = await manufactured({ algorithm: 'rsa2048' })
    for (const way of WAYS) {
      const { place } = first
      expect(await refusalBy(way, { ...place, handle: 0x8102ffff })).toBe('tpm.idevid-unusable')
      expect(await refusalBy(way, { ...place, certificate: 0x01c9ffff })).toBe('tpm.idevid-unusable')
      expect(await refusalBy(way, { ...place, certificate: second.certificate })).toBe('tpm.idevid-unusable')
      expect(await refusalBy(way, { ...place, certificate: second.place.certificate })).toBe('tpm.idevid-unusable')
    }
  })

  test('that is used by its policy alone, or whose index the owner alone reads, is locked', async () => {
    const policy = 'fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|sign'
    const byPolicy = await manufactured({ algorithm: 'ecc:ecdsa-sha256', attributes: policy })
    const byOwner = await manufactured({ algorithm: 'ecc:ecdsa-sha256', nvAttributes: 'ownerwrite|ownerread' })
    for (const way of WAYS) {
      expect(await refusalBy(way, byPolicy.place)).toBe('tpm.idevid-locked')
      expect(await refusalBy(way, byOwner.place)).toBe('tpm.idevid-locked')
    }
  })

  test('with a password is locked, and is not asked again: each time would count towards the lockout', async () => {
    const { place } = await manufactured({ algorithm: 'ecc:ecdsa-sha256', password: 'secret' })
    for (const way of [...WAYS, ...WAYS, ...WAYS]) {
      const refusal = await by(way, async (tpm) =>
        refusalOf(signWithIdevid(tpm, await readIdevid(tpm, place), STATEMENT)),
      )
      expect(refusal.code).toBe('tpm.idevid-locked')
      expect(refusal.remedy).toContain('empty password')
    }
    expect((await by('tss2', describeTpm)).lockoutCounter).toBe(1)
  })

  describe('the doctor', () => {
    const examine = (set: readonly string[]) => {
      const { values: config } = loadAgentConfig({ set: [`tpm.tcti=${swtpm.tcti}`, ...set] }, {})
      return check.run({ config, host: treeHost({}) })
    }

    test('finds it, in NV and in a file, and says what it is', async () => {
      const { certificate, place } = await manufactured({ algorithm: 'ecc:ecdsa-sha256' })
      const file = join(scratch(), 'idevid.der')
      writeFileSync(file, certificate)
      const handle = `tpm.idevid_handle=0x${place.handle.toString(16)}`
      for (const where of [`nv:0x0${place.certificate.toString(16)}`, file]) {
        expect(await examine([handle, `tpm.idevid_certificate=${where}`])).toMatchObject({
          status: 'good',
          detail: expect.stringContaining('P-256') as unknown,
        })
      }
      const other = await manufactured({ algorithm: 'ecc' })
      const foreign = [handle, `tpm.idevid_certificate=nv:0x0${other.place.certificate.toString(16)}`]
      expect(await examine(foreign)).toMatchObject({ status: 'failed', remedy: expect.any(String) as unknown })
    })

    test('fails where nothing is there, and where there is no TPM', async () => {
      const place = ['tpm.idevid_handle=0x8102fffe', 'tpm.idevid_certificate=nv:0x01c9fffe']
      expect(await examine(place)).toMatchObject({ status: 'failed' })
      expect(await examine([...place, 'tpm.tcti=none'])).toMatchObject({ status: 'failed' })
      expect(await examine([...place.slice(0, 1), 'tpm.idevid_certificate=/nowhere'])).toMatchObject({
        status: 'failed',
      })
      expect(await examine([])).toMatchObject({ status: 'good' })
    })
  })
})
