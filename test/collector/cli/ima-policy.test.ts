import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { initialImaSummary } from '../../../collector/model/ima-state.ts'
import { asciiList, binaryList, fileDigest, goodList, type ImaSpec } from '../../support/ima-builder.ts'
import { bytes, storedDevice, storedProduct } from '../store/samples.ts'
import { useCollector } from './support.ts'

const pem = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'pem', type: 'spki' }).toString()

describe('keepseal ima-policy make', () => {
  const collector = useCollector()

  const listFile = (name: string, content: Uint8Array): string => {
    const file = join(collector().directory, name)
    writeFileSync(file, content)
    return file
  }

  it('merges lists of both formats, each digest once, without the boot aggregate', async () => {
    const { run, directory } = collector()
    const other: ImaSpec[] = [...goodList(), { path: '/etc/gateway.conf', content: 'third' }, { path: '/usr/bin/b' }]
    const out = join(directory, 'policy.json')
    const files = [listFile('a', binaryList(goodList())), listFile('b', asciiList(other))]
    const made = await run('auditor', 'ima-policy', 'make', ...files, '--out', out)
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(' paths in ') })
    const policy = JSON.parse(readFileSync(out, 'utf8')) as { allow: Record<string, string[]> }
    expect(policy).toMatchObject({ version: 1, signers: [], excludes: [] })
    expect(Object.keys(policy.allow)).toEqual([...new Set(other.slice(1).map(({ path }) => String(path)))].sort())
    const digest = (content: string) => `sha256:${fileDigest({ path: '', content }).toString('hex')}`
    expect(policy.allow['/etc/gateway.conf']).toEqual(['first', 'second', 'third'].map(digest).sort())
  })

  it('refuses violations by name, unless their paths are left out', async () => {
    const { run } = collector()
    const file = listFile(
      'a',
      binaryList([...goodList(), { path: '/var/log/x', violation: true }, { path: '/var/lib/y' }]),
    )
    const refused = await run('auditor', 'ima-policy', 'make', file)
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('/var/log/x') })
    const made = await run('auditor', 'ima-policy', 'make', file, '--exclude', '/var/**', '--exclude', '/tmp/*')
    expect(made.code).toBe(0)
    expect(JSON.parse(made.stdout)).toMatchObject({ excludes: ['/var/**', '/tmp/*'] })
    expect(made.stdout).not.toContain('/var/lib/y')
  })

  it('names the code of a list that cannot be read', async () => {
    const { run } = collector()
    const refused = await run('auditor', 'ima-policy', 'make', listFile('a', binaryList(goodList()).subarray(0, 300)))
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('entry ') })
  })
})

describe('keepseal product ima-policy', () => {
  const collector = useCollector()

  const policyFile = (policy: object): string => {
    const file = join(collector().directory, 'policy.json')
    writeFileSync(file, JSON.stringify(policy))
    return file
  }
  const policy = (parts: object = {}) => ({
    version: 1,
    allow: { '/init': [`sha256:${'00'.repeat(32)}`] },
    signers: [{ keyId: '00c0ffee', publicKey: pem(2048) }],
    excludes: ['/tmp/**'],
    ...parts,
  })

  it('sets a new version each time, keeps the earlier ones, and shows the newest', async () => {
    const { run, store } = collector()
    const { id, model } = await storedProduct(store)
    const none = await run('auditor', 'product', 'ima-policy', model)
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(await run('vendor', 'product', 'ima-policy', id, '--set', policyFile(policy()))).toMatchObject({
      code: 0,
      stdout: 'version 1\n',
    })
    const second = policyFile(policy({ excludes: [] }))
    expect((await run('vendor', 'product', 'ima-policy', id, '--set', second)).stdout).toBe('version 2\n')
    const shown = await run('auditor', 'product', 'ima-policy', id)
    expect(shown.stdout).toMatch(/^version +2, /m)
    expect(shown.stdout).toMatch(/^allowed +1 paths, 1 digests$/m)
    expect(shown.stdout).toMatch(/^signers +00c0ffee$/m)
    expect(shown.stdout).toMatch(/^excludes +none$/m)
    const json = await run('auditor', 'product', 'ima-policy', id, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ version: 2, policy: policy({ signers: [{}], excludes: [] }) })
    const { items } = await store.auditLog.list({ limit: 10 }, { subject: id })
    expect(items.map(({ action, detail }) => [action, detail['version'], detail['excludes']])).toEqual([
      ['product.ima-policy', 2, []],
      ['product.ima-policy', 1, ['/tmp/**']],
    ])
  })

  it.each([
    ['another version', { version: 2 }],
    ['a digest without an algorithm', { allow: { '/init': ['00'.repeat(32)] } }],
    ['a path without digests', { allow: { '/init': [] } }],
    ['an unknown field', { exclude: [] }],
    ['a private key', { signers: [{ keyId: '00c0ffee', publicKey: '-----BEGIN PRIVATE KEY-----' }] }],
    ['a key id of another length', { signers: [{ keyId: '00c0ff', publicKey: pem(2048) }] }],
  ])('refuses %s before it asks the collector', async (_, parts) => {
    const { run, store } = collector()
    const { id } = await storedProduct(store)
    const refused = await run('vendor', 'product', 'ima-policy', id, '--set', policyFile(policy(parts)))
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('keepseal ima-policy make') })
    expect(await store.imaPolicies.newestVersion(id)).toBe(0)
  })

  it('refuses a key that is too weak', async () => {
    const { run, store } = collector()
    const { id } = await storedProduct(store)
    const weak = policyFile(policy({ signers: [{ keyId: '00c0ffee', publicKey: pem(1024) }] }))
    const refused = await run('vendor', 'product', 'ima-policy', id, '--set', weak)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('00c0ffee') })
    expect(await store.imaPolicies.newestVersion(id)).toBe(0)
  })

  it('takes a policy of a whole system, which is larger than other requests', async () => {
    const { run, store } = collector()
    const { id } = await storedProduct(store)
    const allow = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, n) => [`/usr/lib/a/rather/long/path/${n}`, [`sha256:${'00'.repeat(32)}`]]),
    )
    expect((await run('vendor', 'product', 'ima-policy', id, '--set', policyFile(policy({ allow })))).code).toBe(0)
    expect(await store.imaPolicies.newestVersion(id)).toBe(1)
  })
})

describe('keepseal device show', () => {
  const collector = useCollector()

  it('shows how far the measured files are known, and each exclude with what it let pass', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store)
    expect((await run('auditor', 'device', 'show', device.ueid)).stdout).toMatch(/^files +not-reported$/m)
    const summary = {
      ...initialImaSummary,
      aggregate: 'matches' as const,
      excluded: [
        { pattern: '/tmp/**', entries: 3 },
        { pattern: '/run/*', entries: 1 },
      ],
    }
    const base = { bank: 'sha256' as const, entries: 812, pcr10: bytes('pcr10'), paddingMode: 'per-bank' as const }
    const ima = { bootSeed: bytes('boot', 16), base, verdict: 'accepted' as const, summary }
    await store.devices.saveState(device.id, { ...initialDeviceState, ima })
    const { stdout } = await run('auditor', 'device', 'show', device.ueid)
    expect(stdout).toMatch(/^files +accepted, 812 entries verified$/m)
    expect(stdout).toMatch(/^ +3 let pass by \/tmp\/\*\*$/m)
    expect(stdout).toMatch(/^ +1 let pass by \/run\/\*$/m)
    const json = JSON.parse((await run('auditor', 'device', 'show', device.ueid, '--json')).stdout) as object
    expect(json).toMatchObject({ imaVerdict: 'accepted', ima: { entries: 812, excluded: summary.excluded } })
  })
})
