import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errors } from '../../../shared/codes/errors.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
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
