import type { DeviceGroup, Labels } from '../model/labels.ts'
import type { Executor } from './database.ts'
import { idCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

const columns = ['id', 'vendor', 'name', 'created_by as createdBy', 'created_at as createdAt'] as const
type Row = Omit<DeviceGroup, 'labels'>

export type DeviceGroupsRepository = ReturnType<typeof deviceGroupsRepository>

export function deviceGroupsRepository(db: Executor) {
  const withLabels = async (rows: readonly Row[]): Promise<DeviceGroup[]> => {
    if (rows.length === 0) return []
    const ids = rows.map(({ id }) => id)
    const found = await db.selectFrom('group_labels').selectAll().where('group_id', 'in', ids).orderBy('key').execute()
    return rows.map((row) => {
      const own = found.filter(({ group_id: id }) => id === row.id)
      const labels: Labels = Object.fromEntries(own.map(({ key, value }) => [key, value]))
      return { ...row, labels }
    })
  }

  return {
    /** Error: request.conflict when the name is taken. */
    async create({ id, vendor, name, labels, createdBy, createdAt }: DeviceGroup): Promise<void> {
      await db
        .insertInto('device_groups')
        .values({ id, vendor, name, created_by: createdBy, created_at: createdAt })
        .execute()
      const rows = Object.entries(labels).map(([key, value]) => ({ group_id: id, key, value }))
      await db.insertInto('group_labels').values(rows).execute()
    },

    async byId(id: string): Promise<DeviceGroup | undefined> {
      const rows = await db.selectFrom('device_groups').select(columns).where('id', '=', id).execute()
      return (await withLabels(rows))[0]
    },

    /** Newest first. */
    async list(page: PageRequest): Promise<Page<DeviceGroup>> {
      const cursor = idCursor(page)
      let query = db.selectFrom('device_groups').select(columns).orderBy('id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      const found = toPage(
        await query.execute(),
        page,
        (row) => row.id,
        (row): Row => row,
      )
      return { ...found, items: await withLabels(found.items) }
    },

    /** Whether an exception or a statement was ever made for it: then it stays, since that says what was covered. */
    async isNamed(id: string): Promise<boolean> {
      const by = async (table: 'finding_exceptions' | 'advisory_exclusions'): Promise<boolean> =>
        (await db.selectFrom(table).select('id').where('group_id', '=', id).executeTakeFirst()) !== undefined
      return (await by('finding_exceptions')) || (await by('advisory_exclusions'))
    },

    async remove(id: string): Promise<void> {
      await db.deleteFrom('group_labels').where('group_id', '=', id).execute()
      await db.deleteFrom('device_groups').where('id', '=', id).execute()
    },
  }
}
