import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addAdvisories, importFeed } from '../../../collector/advisories/import.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { osvRecord } from '../../support/feed-fetching.ts'
import { testKeys } from '../api/support.ts'
import { NOW } from '../store/samples.ts'
import { RotatingKeys } from '../../support/rotating-keys.ts'
import { useCollector } from './support.ts'

describe('keepseal advisory export and import of a bundle', () => {
  const keys = testKeys()
  const online = useCollector(undefined, undefined, () => ({ keys }))
  const offline = useCollector()
  const rotating = new RotatingKeys()
  const rotated = useCollector(undefined, undefined, () => ({ keys: rotating.services }))

  /** More than fits into one page. */
  async function exported() {
    const { store, run, directory } = online()
    const records = parseAdvisories(Array.from({ length: 2500 }, (_, n) => osvRecord(`DSA-${n}`, 'zlib', '2')))
    await importFeed(store, { feed: 'debian', authority: 'distribution', batches: [{ records }] }, () => NOW)
    await addAdvisories(store, 'own', 'own', parseAdvisories(osvRecord('ACME-1', 'zlib', '3')), NOW)
    const file = join(directory, 'advisories.bundle')
    const made = await run('operator', 'advisory', 'export', file, '--json')
    expect(made).toMatchObject({ code: 0 })
    return { file, ...(JSON.parse(made.stdout) as { signer: string; pages: number }) }
  }

  it('carries all that one collector knows to another one', async () => {
    const { file, signer, pages } = await exported()
    expect(pages).toBeGreaterThan(2)
    const { run, store } = offline()
    const refused = await run('vendor', 'advisory', 'import', file)
    expect(refused).toMatchObject({ code: 4 })
    expect(refused.stderr).toContain(signer)
    const taken = await run('vendor', 'advisory', 'import', file, '--signed-by', signer)
    expect(taken).toMatchObject({ code: 0 })
    expect(taken.stdout).toContain('debian: 2500 advisories, 0 before')
    expect(await store.advisorySets.feed('debian')).toMatchObject({ advisories: 2500, checkedAt: NOW })
    const [entry] = (await store.auditLog.list({ limit: 1 })).items
    expect(entry).toMatchObject({ action: 'advisory.import-bundle', detail: { signedBy: signer } })
    // The collector that made it takes it back, from its own key.
    expect(await online().run('vendor', 'advisory', 'import', file)).toMatchObject({ code: 0 })
    const again = await online().run('operator', 'advisory', 'export', `${file}.2`)
    expect(again.stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('Written'))).toEqual([])
    expect(again.stdout).toContain(signer)
  })

  it('refuses a file that is cut off or damaged, and options that it has no use for', async () => {
    const { file, signer } = await exported()
    const { run, store, directory } = offline()
    const whole = readFileSync(file)
    const cut = join(directory, 'cut.bundle')
    const sizes = [whole.length - 1, whole.length - 3000, 40, 29]
    for (const size of sizes) {
      writeFileSync(cut, whole.subarray(0, size))
      expect(await run('vendor', 'advisory', 'import', cut, '--signed-by', signer), `${size}`).toMatchObject({
        code: 2,
      })
    }
    const damaged = Buffer.from(whole)
    damaged[whole.length >> 1] = (damaged[whole.length >> 1] ?? 0) ^ 1
    writeFileSync(cut, damaged)
    expect((await run('vendor', 'advisory', 'import', cut, '--signed-by', signer)).code).not.toBe(0)
    expect((await store.advisories.list({ limit: 5 })).items).toEqual([])
    expect(await run('vendor', 'advisory', 'import', file, '--feed', 'x')).toMatchObject({ code: 2 })
    const document = join(directory, 'a.json')
    writeFileSync(document, JSON.stringify(osvRecord('A-1', 'zlib', '2')))
    expect(await run('vendor', 'advisory', 'import', document, '--force')).toMatchObject({ code: 2 })
    expect(await run('auditor', 'advisory', 'export', cut)).toMatchObject({ code: 4 })
    expect(await online().run('vendor', 'advisory', 'export', '/nowhere/at/all')).toMatchObject({ code: 2 })
    expect(() => statSync('/nowhere/at/all.new')).toThrow('ENOENT')
  })

  it('is taken by who trusts a former key of its collector, whose file says what led on', async () => {
    const { store, run, directory } = rotated()
    await addAdvisories(store, 'own', 'own', parseAdvisories(osvRecord('ACME-1', 'zlib', '3')), NOW)
    const [before, after] = [join(directory, 'before.bundle'), join(directory, 'after.bundle')]
    const { keyId: first } = rotating.current
    expect(await run('operator', 'advisory', 'export', before)).toMatchObject({ code: 0 })
    expect(readFileSync(before).subarray(0, 27).toString()).toContain('bundle 1')
    const { keyId: second } = await rotating.rotate(NOW / 1000)
    expect(await run('operator', 'advisory', 'export', after)).toMatchObject({ code: 0 })
    const other = offline()
    const taken = await other.run('vendor', 'advisory', 'import', after, '--signed-by', first)
    expect(taken).toMatchObject({ code: 0, stdout: expect.stringMatching(`${second}\nwhich followed ${first}`) })
    for (const line of taken.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    const [entry] = (await other.store.auditLog.list({ limit: 1 })).items
    expect(entry).toMatchObject({ detail: { signedBy: first, signer: second, followed: first } })
    // What the former key signed before stays good, there and where it was made.
    expect(await other.run('vendor', 'advisory', 'import', before, '--signed-by', first)).toMatchObject({ code: 0 })
    expect(await run('vendor', 'advisory', 'import', before)).toMatchObject({ code: 0 })
    const whole = readFileSync(after)
    for (const size of [whole.length - 1, 200, 31, 29, 27]) {
      writeFileSync(before, whole.subarray(0, size))
      expect(await other.run('vendor', 'advisory', 'import', before, '--signed-by', first), `${size}`).toMatchObject({
        code: 2,
      })
    }
  })
})
