import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../../../collector/store/database.ts'
import { createStore } from '../../../collector/store/index.ts'
import { migrate, migrations } from '../../../collector/store/migrations/index.ts'
import { bytes, id, NOW, storedProduct } from './samples.ts'

it('what an earlier version wrote down as not met is looked at anew, since nobody may have known', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-configurations-'))
  const db = openDatabase({ path: join(directory, 'collector.db') })
  try {
    const at = migrations.findIndex(({ name }) => name.endsWith('configurations-anew'))
    await migrate(db, migrations.slice(0, at))
    const store = createStore(db)
    const { id: productId, vendor } = await storedProduct(store)
    const by = { createdAt: NOW, createdBy: 'api_x', createdByName: 'Ada' }
    const conditions = [{ kind: 'package-absent', package: 'telnetd' }] as const
    const configuration = { id: id('cfg'), productId, name: 'no-telnet', conditions, ...by }
    await store.productConfigurations.add(configuration)
    for (const [label, met] of [
      ['one', 'met'],
      ['two', 'not-met'],
    ] as const) {
      await store.postures.save(vendor, bytes(label), new Map([['packages', bytes('section')]]))
      await store.productConfigurations.setMet(configuration.id, bytes(label), met)
    }
    expect(await store.productConfigurations.toLookAt(10)).toEqual([])
    await migrate(db)
    expect(await store.productConfigurations.toLookAt(10)).toMatchObject([{ digest: bytes('two') }])
    expect((await store.productConfigurations.metByPosture(bytes('one'))).met).toEqual(new Set([configuration.id]))
  } finally {
    await db.destroy()
    rmSync(directory, { recursive: true })
  }
})
