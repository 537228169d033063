import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errors } from '../../../shared/codes/errors.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { collectorKeyOf } from '../../../collector/trust/succession.ts'
import { openMirrorPage, signMirrorPage } from '../../../shared/mirror/page.ts'
import { RotatingKeys, strangeKey } from '../../support/rotating-keys.ts'
import type { CollectorKeys } from '../../../collector/trust/keys.ts'
import type { Store } from '../../../collector/store/index.ts'
import { DecidingPeople } from '../../support/decision-log.ts'
import { IngestingCollector, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { QuotingTpm } from '../../support/quoting-tpm.ts'
import { useCollector } from './support.ts'

describe('keepseal mirror', () => {
  const keys = useCollectorKeys()
  const other = useCollectorKeys()
  const served: { keys: CollectorKeys | undefined } = { keys: undefined }
  const collector = useCollector(
    undefined,
    () => START,
    () => ({
      keys: {
        get collectorId() {
          return keys().collectorId
        },
        get signer() {
          return (served.keys ?? keys()).signer
        },
        get publicKey() {
          return (served.keys ?? keys()).publicKey
        },
        get keyHistory() {
          return (served.keys ?? keys()).keyHistory
        },
        totpSecretOf: () => new Uint8Array(20),
      },
    }),
  )

  async function begun(store: Store) {
    served.keys = undefined
    const ingesting = new IngestingCollector(store, keys(), { history: { keepOneIn: 3 } })
    await ingesting.product()
    await ingesting.epoch()
    const device = await ingesting.device({ tpm: new QuotingTpm() }, { identity: 'tpm-tofu' })
    for (let n = 0; n < 5; n++) await ingesting.report(device)
    const people = await DecidingPeople.begin()
    for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, START)
    const units = { declared: 1, retireAfterDays: 30, setAt: START, setBy: 'vendor' }
    await store.practices.setUnits(ingesting.productId, units)
    return { ingesting, device, people, path: join(collector().directory, 'mirror') }
  }

  /** A second page. */
  async function twoPages() {
    const { run, store } = collector()
    const all = await begun(store)
    expect(await run('certifier', 'mirror', 'pull', all.path)).toMatchObject({ code: 0, stderr: '' })
    all.device.restart()
    await all.ingesting.report(all.device)
    const again = await run('auditor', 'mirror', 'pull', all.path, '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ added: 1, pages: 2 })
    return { ...all, run, store }
  }

  const page = (path: string, number: number) => join(path, `0000000${number}.page`)

  it('pulls, goes on where it has ended, and verifies without a server within 80 columns', async () => {
    const { run, path } = await twoPages()
    expect(JSON.parse((await run('auditor', 'mirror', 'pull', path, '--json')).stdout)).toMatchObject({ added: 0 })
    const { runWith } = collector()
    const { code, stdout } = await runWith({}, 'mirror', 'verify', path)
    expect(code).toBe(0)
    expect(stdout).toMatch(/operated by +Example Certifier/)
    expect(stdout).toMatch(/evidence +\d+ kept of 6 counted/)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  it('is for certifiers and auditors', async () => {
    const { path } = await begun(collector().store)
    expect((await collector().run('vendor', 'mirror', 'pull', path)).code).toBe(4)
  })

  it('says by its exit code that units are missing', async () => {
    const { run, store, ingesting, path } = await twoPages()
    const units = { declared: 3, retireAfterDays: 30, setAt: START, setBy: 'vendor' }
    await store.practices.setUnits(ingesting.productId, units)
    const { code, stdout } = await run('certifier', 'mirror', 'pull', path)
    expect(code).toBe(1)
    expect(stdout).toMatch(/GAP: .*3 units are declared/)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  it('names a page that was changed, exchanged or left out', async () => {
    const { run, path } = await twoPages()
    const whole = readFileSync(page(path, 1))
    const damaged = Buffer.from(whole)
    damaged[200] = (damaged[200] ?? 0) ^ 1
    writeFileSync(page(path, 1), damaged)
    expect(await run('auditor', 'mirror', 'verify', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(errors['mirror.page-invalid'].title),
    })
    writeFileSync(page(path, 1), readFileSync(page(path, 2)))
    expect((await run('auditor', 'mirror', 'verify', path)).stderr).toContain(errors['mirror.chain-broken'].title)
    rmSync(page(path, 1))
    expect((await run('auditor', 'mirror', 'verify', path)).stderr).toContain(errors['mirror.chain-broken'].title)
    writeFileSync(page(path, 1), whole)
    expect((await run('auditor', 'mirror', 'verify', path)).code).toBe(0)
  })

  it('takes no other key than the pinned one', async () => {
    const { run, path } = await twoPages()
    served.keys = other()
    expect(await run('auditor', 'mirror', 'pull', path)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(errors['mirror.collector-changed'].title),
    })
    served.keys = undefined
    const wanted = toHex(other().signer.keyId)
    expect((await run('auditor', 'mirror', 'verify', path, '--collector', wanted)).code).toBe(1)
  })

  describe('of a collector that has changed its key', () => {
    const rotating = new RotatingKeys()
    const DAY_S = 86_400
    const at = Math.floor(START / 1000)

    /** Two pages by the first key, with a pull since the change and one page more. */
    async function followed() {
      const all = await begun(collector().store)
      const { path, run } = { ...all, run: collector().run }
      served.keys = rotating.services as CollectorKeys
      const before = rotating.current
      expect((await run('certifier', 'mirror', 'pull', path, '--collector', before.keyId)).code).toBe(0)
      const next = await rotating.rotate(at)
      all.device.restart()
      await all.ingesting.report(all.device)
      const pulled = await run('certifier', 'mirror', 'pull', path, '--collector', before.keyId)
      return { ...all, run, before, next, pulled }
    }

    it('goes on by the new one, keeps that, says so, and verifies both without a server', async () => {
      const { path, run, before, next, pulled } = await followed()
      expect(pulled).toMatchObject({ code: 0, stderr: '' })
      expect(pulled.stdout).toContain('was followed')
      for (const line of pulled.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
      const again = await run('certifier', 'mirror', 'pull', path, '--json')
      const until = new Date(at * 1000).toISOString()
      expect(JSON.parse(again.stdout)).toMatchObject({
        followed: false,
        pages: 2,
        collectorKey: next.keyId,
        formerKeys: [{ keyId: before.keyId, until }],
      })
      const { runWith } = collector()
      const verified = await runWith({}, 'mirror', 'verify', path, '--collector', before.keyId)
      expect(verified).toMatchObject({ code: 0, stderr: '' })
      for (const each of [before, next]) expect(verified.stdout).toContain(each.keyId)
      // The new one says nothing about pages of before: whoever trusts that alone has another mirror to begin.
      expect((await runWith({}, 'mirror', 'verify', path, '--collector', next.keyId)).code).toBe(1)
    })

    it('is not without the statements that led there', async () => {
      const { path } = await followed()
      rmSync(join(path, 'key-history.cbor'))
      const verified = await collector().runWith({}, 'mirror', 'verify', path)
      expect(verified.stderr).toContain(errors['mirror.page-invalid'].title)
    })

    it('does not go back to the former one, nor to where that leads by itself', async () => {
      const { path, run, before } = await followed()
      const refused = [
        { ...rotating.services, signer: before.signer, publicKey: { curve: 'Ed25519' as const, x: before.x } },
      ]
      const thief = strangeKey()
      const fork = await rotating.statement(before, thief, at + DAY_S, 100)
      const own = { signer: thief.signer, publicKey: { curve: 'Ed25519' as const, x: thief.x } }
      refused.push({ ...rotating.services, ...own, keyHistory: { first: before.x, statements: [fork] } })
      for (const keysOf of refused) {
        served.keys = keysOf as CollectorKeys
        expect(await run('certifier', 'mirror', 'pull', path)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(errors['mirror.collector-changed'].title),
        })
      }
      served.keys = rotating.services as CollectorKeys
      expect((await run('certifier', 'mirror', 'pull', path)).code).toBe(0)
    })

    it('takes no page that the former key has signed after one of the new key', async () => {
      const { path, run, before, device, ingesting } = await followed()
      const third = join(path, '00000003.page')
      device.restart()
      await ingesting.report(device)
      expect((await run('certifier', 'mirror', 'pull', path)).code).toBe(0)
      const page = openMirrorPage(readFileSync(third), [collectorKeyOf(rotating.current.x)])
      writeFileSync(third, await signMirrorPage(page, before.signer))
      const verified = await collector().runWith({}, 'mirror', 'verify', path)
      expect(verified.stderr).toContain(errors['mirror.page-invalid'].title)
    })

    it('is begun from a former key that somebody has been told, if it leads to the one in force', async () => {
      const { run, path, before } = await followed()
      const [fresh, other] = [join(path, '..', 'fresh'), join(path, '..', 'other')]
      expect((await run('certifier', 'mirror', 'pull', fresh, '--collector', before.keyId)).code).toBe(0)
      expect((await collector().runWith({}, 'mirror', 'verify', fresh, '--collector', before.keyId)).code).toBe(0)
      const strange = await run('certifier', 'mirror', 'pull', other, '--collector', strangeKey().keyId)
      expect(strange.stderr).toContain(errors['mirror.collector-changed'].title)
      expect(existsSync(other)).toBe(false)
    })
  })

  it('refuses a rewritten past, says from which page, and leaves the mirror as it was', async () => {
    const { run, store, path, people, ingesting, device } = await twoPages()
    await people.decide(people.certifier, 'person.revoke', people.second.id, { reason: 'left' })
    await store.decisions.append(people.entries.length - 1, people.entries.at(-1) ?? new Uint8Array(), START)
    device.restart()
    await ingesting.report(device)
    expect((await run('auditor', 'mirror', 'pull', path)).code).toBe(0)
    expect(readdirSync(path).filter((name) => name.endsWith('.page'))).toHaveLength(3)
    // The collector is put back to before the last decision, which others have seen.
    const { decisions } = store
    const from = decisions.from.bind(decisions)
    Object.assign(decisions, {
      from: async (index: number, limit: number) =>
        (await from(index, limit)).map((entry, at) => (index + at === 3 ? Uint8Array.of(...entry, 0) : entry)),
    })
    const refused = await run('auditor', 'mirror', 'pull', path)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(errors['mirror.past-rewritten'].title)
    expect(refused.stderr).toMatch(/from page 3 on/)
    expect(readdirSync(path).filter((name) => name.endsWith('.page'))).toHaveLength(3)
    expect(readdirSync(path)).toContain('refused.cbor')
    renameSync(page(path, 3), join(path, 'kept'))
    expect((await run('auditor', 'mirror', 'verify', path)).code).toBe(0)
  })
})
