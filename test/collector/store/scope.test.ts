import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../../collector/store/index.ts'
import { tableScopes } from '../../../collector/store/scope/tables.ts'
import { openDatabase } from '../../../collector/store/database.ts'
import { migrate } from '../../../collector/store/migrations/index.ts'
import { device, evidence, finding, NOW, product, reassessment, token } from './samples.ts'
import { describeStore } from './support.ts'

/** A product of a vendor with one of everything. */
async function everythingOf(store: Store, vendor: string, model = 'Gate') {
  const made = product({ vendor, model })
  await store.products.create(made)
  const owned = await store.devices.insert(device(made.id, `${vendor} ${model}`, { vendor, model }))
  const open = finding(owned.id)
  await store.findings.insert(open)
  const { id: caseId, ...about } = reassessment(made.id)
  await store.cases.insert({ id: caseId, ...about })
  await store.cases.addFinding(caseId, open.id)
  await store.evidence.insert(evidence(owned.id, 0))
  await store.enrolmentTokens.create(token(made.id))
  const told = { severity: 'low', productId: made.id, ueid: owned.ueid, code: null, subject: '', text: '' } as const
  const event = await store.notifications.add({ kind: 'case.opened', at: NOW, ...told })
  await store.notifications.dispatch(event, ['mail'], NOW)
  await store.auditLog.append({ at: NOW, actor: 'api_1', action: 'product.create', subject: made.id, detail: {} })
  return { product: made, device: owned, caseId, findingId: open.id, event }
}

/** What the lists of a store hold, by the things that `everythingOf` makes. */
async function seen(store: Store) {
  const page = { limit: 50 }
  return {
    products: (await store.products.list(page)).items.map((each) => each.id),
    devices: (await store.devices.list(page)).items.map((each) => each.device.ueid),
    findings: (await store.findings.list(page)).items.map((each) => each.finding.id),
    cases: (await store.cases.list(page)).items.map((each) => each.id),
    tokens: (await store.enrolmentTokens.list(page)).items.map((each) => each.productId),
    events: (await store.notifications.list(page)).items.map((each) => each.event.id),
    audit: (await store.auditLog.list(page)).items.map((each) => each.subject),
  }
}

describe('every table of the database', () => {
  it('belongs to a vendor in a way that is written down', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-scope-'))
    const db = openDatabase({ path: join(directory, 'collector.db') })
    await migrate(db)
    const tables = (await db.introspection.getTables()).filter(({ name }) => !name.startsWith('sqlite_'))
    await db.destroy()
    rmSync(directory, { recursive: true })
    expect(Object.keys(tableScopes).sort()).toEqual(tables.map(({ name }) => name).sort())
    const columns = new Map(tables.map((table) => [table.name, table.columns.map((column) => column.name)]))
    for (const [name, scope] of Object.entries(tableScopes)) {
      if (typeof scope !== 'object') continue
      const named = 'anyOf' in scope ? scope.anyOf : 'vendor' in scope ? [] : [scope]
      if ('vendor' in scope) expect(columns.get(name)).toContain(scope.vendor)
      for (const { column, of, key } of named) {
        expect(columns.get(name), name).toContain(column)
        expect(columns.get(of), of).toContain(key)
      }
    }
  })
})

describeStore('a store within a vendor', (createStore) => {
  it('holds what is his, and nothing else', async () => {
    const store = createStore()
    const mine = await everythingOf(store, 'Acme')
    const others = await everythingOf(store, 'Rival')
    expect(await seen(store.within({ vendor: 'Acme', products: null }))).toEqual({
      products: [mine.product.id],
      devices: [mine.device.ueid],
      findings: [mine.findingId],
      cases: [mine.caseId],
      tokens: [mine.product.id],
      events: [mine.event],
      audit: [mine.product.id],
    })
    const within = store.within({ vendor: 'Acme', products: null })
    expect(await within.products.byId(others.product.id)).toBeUndefined()
    expect(await within.devices.byUeid(others.device.ueid)).toBeUndefined()
    expect(await within.cases.byId(others.caseId)).toBeUndefined()
    expect(await within.cases.byId(mine.caseId)).toMatchObject({ findingIds: [mine.findingId] })
    expect((await within.evidence.list(others.device.id, { limit: 5 })).items).toEqual([])
    expect((await within.evidence.list(mine.device.id, { limit: 5 })).items).toHaveLength(1)
    expect(await within.findings.openOf(others.device.id)).toEqual([])
  })

  it('holds nothing where its vendor is unknown, and no more products than it names', async () => {
    const store = createStore()
    const [one] = [await everythingOf(store, 'Acme', 'One'), await everythingOf(store, 'Acme', 'Two')]
    const nothing = { products: [], devices: [], findings: [], cases: [], tokens: [], events: [], audit: [] }
    expect(await seen(store.within({ vendor: 'acme', products: null }))).toEqual(nothing)
    expect(await seen(store.within({ vendor: 'Acme', products: [] }))).toEqual(nothing)
    expect(await seen(store.within({ vendor: 'Rival', products: [one.product.id] }))).toEqual(nothing)
    const named = await seen(store.within({ vendor: 'Acme', products: [one.product.id] }))
    expect(named).toMatchObject({ products: [one.product.id], devices: [one.device.ueid], findings: [one.findingId] })
  })

  it('changes and removes nothing of another vendor, in a transaction either', async () => {
    const store = createStore()
    const others = await everythingOf(store, 'Rival')
    const within = store.within({ vendor: 'Acme', products: null })
    await within.transaction(async (transaction) => {
      await transaction.devices.updateEnrolment(others.device.id, 'revoked', NOW)
      await transaction.findings.setState(others.findingId, 'resolved', NOW)
    })
    await within.transactionOf([others.device.ueid], (transaction) =>
      transaction.devices.updateEnrolment(others.device.id, 'revoked', NOW),
    )
    expect(await within.notifications.forgetSent(NOW + 1, 10)).toBe(0)
    expect(await store.products.byId(others.product.id)).toEqual(others.product)
    expect(await store.devices.byId(others.device.id)).toMatchObject({ enrolment: 'active' })
    expect(await store.findings.openOf(others.device.id)).toHaveLength(1)
  })

  it('changes what is his', async () => {
    const store = createStore()
    const mine = await everythingOf(store, 'Acme')
    const within = store.within({ vendor: 'Acme', products: null })
    await within.transactionOf([mine.device.ueid], (transaction) =>
      transaction.devices.updateEnrolment(mine.device.id, 'revoked', NOW),
    )
    expect(await store.devices.byId(mine.device.id)).toMatchObject({ enrolment: 'revoked' })
  })

  it('takes no product of another vendor, and none at all where it is bound to some', async () => {
    const store = createStore()
    const within = store.within({ vendor: 'Acme', products: null })
    await within.products.create(product({ vendor: 'Acme' }))
    const refused = { code: 'auth.forbidden' }
    await expect(within.products.create(product({ vendor: 'Rival' }))).rejects.toMatchObject(refused)
    const named = store.within({ vendor: 'Acme', products: [] })
    await expect(named.products.create(product({ vendor: 'Acme', model: 'x' }))).rejects.toMatchObject(refused)
  })

  it('refuses what is not of one vendor: tokens, decisions, statements as text', async () => {
    const within = createStore().within({ vendor: 'Acme', products: null })
    const refused = { code: 'auth.forbidden' }
    await expect(within.apiTokens.list({ limit: 1 })).rejects.toMatchObject(refused)
    await expect(within.apiTokens.revoke('api_1', NOW)).rejects.toMatchObject(refused)
    await expect(within.decisions.from(0, 1)).rejects.toMatchObject(refused)
    await expect(within.sweep({ history: NOW } as never, 1)).rejects.toMatchObject(refused)
  })
})
