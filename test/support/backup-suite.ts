import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backup, restore } from '../../collector/store/backup/index.ts'
import { openStore, type StoreLocation } from '../../collector/store/index.ts'
import { joinCollectors } from '../../collector/store/leadership.ts'
import { migrations } from '../../collector/store/migrations/index.ts'
import { bytes, evidence, NOW, storedDevice } from '../collector/store/samples.ts'
import { useScratchDirectories } from './scratch.ts'

export interface BackupUnderTest {
  readonly name: string
  readonly skipped?: boolean
  /** Where no database is yet. */
  readonly fresh: () => Promise<StoreLocation>
  /** Makes the database one of a later version. */
  readonly age: (location: StoreLocation, version: number) => Promise<void>
}

/** What holds for backups of every kind of database. */
export function describeBackup({ name, skipped = false, fresh, age }: BackupUnderTest): void {
  describe.skipIf(skipped)(`a backup (${name})`, () => {
    const scratch = useScratchDirectories('backup')

    /** A database that is in use, with two messages of which the backup knows one. */
    async function backedUp() {
      const file = join(scratch(), 'backup')
      const location = await fresh()
      const { store, close } = await openStore(location)
      const device = await storedDevice(store)
      await store.evidence.insert(evidence(device.id, 0))
      await store.receipts.insert([{ deviceId: device.id, number: 1, hash: bytes('r'), issuedAt: NOW }])
      await backup(location, file)
      await store.evidence.insert(evidence(device.id, 1))
      await close()
      return { file, location, device }
    }

    it('is made beside a running collector, holds what was there then, and is readable by its owner alone', async () => {
      const { file, device } = await backedUp()
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const target = await fresh()
      expect(await restore(target, file, NOW + 9)).toMatchObject({ restoredAt: NOW + 9, newestReceiptAt: NOW })
      const { store, close } = await openStore(target)
      expect(await store.devices.byUeid(device.ueid)).toEqual(device)
      expect((await store.evidence.list(device.id, { limit: 5 })).items).toEqual([evidence(device.id, 0)])
      const { items } = await store.auditLog.list({ limit: 5 })
      expect(items).toMatchObject([{ at: NOW + 9, action: 'database.restore', detail: { newestReceiptAt: NOW } }])
      // Keys that the database gives go on from where the backup was.
      expect((await storedDevice(store, 'two')).id).toBeGreaterThan(device.id)
      await close()
    })

    it('is restored with numbers that no collector has given out, also when it is restored again', async () => {
      const { file } = await backedUp()
      const nonce = (text: string) => bytes(text)
      const numbers: number[] = []
      for (const [index, at] of [NOW + 9_000, NOW + 3_600_000].entries()) {
        const target = await fresh()
        const point = await restore(target, file, at)
        const { store, close } = await openStore(target)
        expect(await store.restorePoints.newest()).toEqual(point)
        const first = await store.epochs.insert({ nonce: nonce(`${index} first`), issuedAt: at })
        const second = await store.epochs.insert({ nonce: nonce(`${index} second`), issuedAt: at })
        expect([first.number, second.number]).toEqual([point.firstEpoch, point.firstEpoch + 1])
        numbers.push(point.number, first.number)
        await close()
      }
      const [point = 0, epoch = 0, nextPoint = 0, nextEpoch = 0] = numbers
      // As many epochs as there can be in between: one a second.
      expect([nextPoint > point, nextEpoch - epoch >= 3_591]).toEqual([true, true])
    })

    it('explains the reports that it does not know, and none that are lost afterwards', async () => {
      const [location, target, file] = [await fresh(), await fresh(), join(scratch(), 'backup')]
      const first = await openStore(location)
      const device = await storedDevice(first.store)
      const known = {
        deviceId: device.id,
        session: bytes('session', 16),
        firstSeenAt: NOW,
        firstEpoch: 1,
        lastEpoch: 1,
      }
      await first.store.sessions.save({ ...known, contiguousTo: 0, extra: [] })
      await first.store.evidenceRuns.begin(evidence(device.id, 0))
      await backup(location, file)
      await first.close()
      const { restoredAt } = await restore(target, file, NOW + 9_000)
      const { store, close } = await openStore(target)
      const numbers = () => store.fleet.reportNumbers(device.productId, NOW)
      expect(await numbers()).toEqual({ held: 1, missing: 0, restored: 0 })
      const received = (seq: number, over = {}) =>
        store.evidenceRuns.begin(evidence(device.id, seq, { receivedAt: restoredAt + seq, ...over }))
      // 1 to 3 are of before the restore, 5 and 6 of after it.
      for (const seq of [4, 7]) await received(seq)
      await store.sessions.save({
        ...known,
        contiguousTo: 0,
        extra: [
          [4, 4],
          [7, 7],
        ],
      })
      expect(await numbers()).toEqual({ held: 3, missing: 2, restored: 3 })
      const unknown = bytes('another session', 16)
      await received(2, { session: unknown })
      await store.sessions.save({
        ...known,
        session: unknown,
        firstSeenAt: restoredAt + 2,
        contiguousTo: -1,
        extra: [[2, 2]],
      })
      expect(await numbers()).toEqual({ held: 4, missing: 2, restored: 5 })
      const other = await storedDevice(store, 'two')
      const lost = { deviceId: other.id, session: unknown, firstSeenAt: NOW, firstEpoch: 1, lastEpoch: 1 }
      await store.sessions.save({ ...lost, contiguousTo: -1, extra: [[2, 2]] })
      const listed = await store.restorePoints.gaps({ restoredAt }, { limit: 1 })
      expect(listed.items.map(({ ueid, first, last }) => [ueid, first, last])).toEqual([
        [device.ueid, 1, 3],
        [device.ueid, 0, 1],
      ])
      expect(listed.items.map(({ before, after }) => [before, after])).toEqual([
        [NOW, restoredAt + 4],
        [null, restoredAt + 2],
      ])
      // Of the other one it is not known when what is held arrived.
      const rest = await store.restorePoints.gaps({ restoredAt }, { limit: 1, cursor: listed.nextCursor })
      expect(rest).toEqual({ items: [], nextCursor: null })
      expect((await store.restorePoints.list()).map((each) => each.restoredAt)).toEqual([restoredAt])
      await close()
    })

    it('with a clock that was set back goes on from the numbers that it knows', async () => {
      const { file } = await backedUp()
      const first = await fresh()
      const before = await restore(first, file, NOW)
      const again = join(scratch(), 'again')
      await backup(first, again)
      const after = await restore(await fresh(), again, NOW - 86_400_000)
      expect([after.number, after.firstEpoch]).toEqual([before.number + 1, before.firstEpoch + 1])
    })

    it('does not take the place of anything', async () => {
      const { file, location } = await backedUp()
      const before = readFileSync(file)
      await expect(backup(location, file)).rejects.toMatchObject({ code: 'state.not-empty' })
      expect(readFileSync(file)).toEqual(before)
      await expect(restore(location, file, NOW)).rejects.toMatchObject({ code: 'state.not-empty' })
      const { store, close } = await openStore(location)
      expect((await store.products.list({ limit: 5 })).items).toHaveLength(1)
      await close()
    })

    it('is not restored while a collector runs', async () => {
      const { file } = await backedUp()
      const target = await fresh()
      const serving = await joinCollectors(target)
      await expect(restore(target, file, NOW)).rejects.toMatchObject({ code: 'state.in-use' })
      await serving.release()
      await restore(target, file, NOW)
    })

    it.each([
      ['cut short', (content: Buffer) => content.subarray(0, Math.floor(content.length / 2))],
      ['nothing of the kind', () => Buffer.from('no backup at all, but long enough')],
      ['empty', () => Buffer.alloc(0)],
    ])('that is %s leaves nothing behind', async (_, damage) => {
      const { file } = await backedUp()
      writeFileSync(file, damage(readFileSync(file)))
      const target = await fresh()
      await expect(restore(target, file, NOW)).rejects.toMatchObject({ code: 'state.unreadable' })
      const { store, close } = await openStore(target)
      expect((await store.products.list({ limit: 5 })).items).toEqual([])
      await close()
    })

    it('of a newer version is refused, and leaves nothing behind', async () => {
      const { location } = await backedUp()
      await age(location, (migrations.at(-1)?.version ?? 0) + 1)
      const file = join(scratch(), 'newer')
      await backup(location, file)
      const target = await fresh()
      await expect(restore(target, file, NOW)).rejects.toMatchObject({ code: 'state.schema-newer' })
      await (await openStore(target)).close()
    })

    it('that is not there is told as such', async () => {
      await expect(restore(await fresh(), join(scratch(), 'none'), NOW)).rejects.toMatchObject({
        code: 'file.unreadable',
      })
    })

    it('of the other kind of database is refused', async () => {
      const { file } = await backedUp()
      const head = readFileSync(file).subarray(0, 5).toString('latin1')
      writeFileSync(file, head === 'PGDMP' ? 'SQLite format 3\0' : 'PGDMP')
      appendFileSync(file, Buffer.alloc(100))
      await expect(restore(await fresh(), file, NOW)).rejects.toMatchObject({ code: 'state.unreadable' })
    })
  })
}
