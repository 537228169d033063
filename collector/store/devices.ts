import type { Selectable } from 'kysely'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import {
  initialDeviceState,
  type Device,
  type DeviceState,
  type Enrolment,
  type Liveness,
  type Verdict,
} from '../model/device.ts'
import { transaction, type Executor } from './database.ts'
import { withLabel } from './device-labels.ts'
import {
  deviceColumns,
  enrolmentColumns,
  keyColumns,
  stateColumns,
  toDevice,
  toState,
  type DeviceKeys,
} from './device-rows.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'
import { isFailing, type CoverageGroup } from './reporting.ts'
import type { DevicesTable } from './schema.ts'

const SAME_SERIAL = 8

export interface DeviceFilter {
  readonly productId?: string | undefined
  readonly enrolment?: Enrolment | undefined
  readonly verdict?: Verdict | undefined
  /** The release that they conform to. */
  readonly releaseId?: string | undefined
  /** Those that have all of these labels, each a key and a value. */
  readonly labels?: readonly (readonly [string, string])[] | undefined
  readonly ueids?: readonly Ueid[] | undefined
  /** Active ones that are alike in one of these ways. */
  readonly alike?: readonly AlikeDevices[] | undefined
}

/** What says whether a certificate covers a device. */
export type AlikeDevices = Omit<CoverageGroup, 'count'> & { readonly productId: string }

export interface DeviceWithState {
  readonly device: Device
  readonly state: DeviceState
}

export interface DevicePublicKeys {
  readonly deviceKey: Uint8Array
  /** Empty for a device without a TPM. */
  readonly akPublic: Uint8Array
}

export type DevicesRepository = ReturnType<typeof devicesRepository>

/** Devices and the one row of state that each has. */
export function devicesRepository(db: Executor) {
  const all = () => db.selectFrom('devices').selectAll()
  const optional = (row: Selectable<DevicesTable> | undefined) => (row === undefined ? undefined : toDevice(row))

  const filtered = ({ productId, enrolment, verdict, releaseId, labels = [], ueids, alike }: DeviceFilter) => {
    let query = db.selectFrom('devices').innerJoin('device_states', 'device_states.device_id', 'devices.id').selectAll()
    if (productId !== undefined) query = query.where('devices.product_id', '=', productId)
    if (enrolment !== undefined) query = query.where('devices.enrolment', '=', enrolment)
    if (verdict !== undefined) query = query.where('device_states.verdict', '=', verdict)
    if (releaseId !== undefined) query = query.where('device_states.release_id', '=', releaseId)
    if (ueids !== undefined) query = query.where('devices.ueid', 'in', ueids)
    if (alike !== undefined) {
      query = query
        .where('devices.enrolment', '=', 'active')
        .where((eb) =>
          eb.or(
            alike.map((group) =>
              eb.and([
                eb('devices.product_id', '=', group.productId),
                eb('devices.hardware_revision', '=', group.hardwareRevision),
                group.releaseId === null
                  ? eb('device_states.release_id', 'is', null)
                  : eb('device_states.release_id', '=', group.releaseId),
                group.isFailing ? isFailing(eb) : eb.not(isFailing(eb)),
              ]),
            ),
          ),
        )
    }
    for (const [key, value] of labels) query = query.where('devices.id', 'in', withLabel(db, key, value))
    return query
  }

  return {
    /**
     * Stores a device with its initial state and gives it its database key.
     * Error: request.conflict when UEID, device key or endorsement key belong to a device already.
     */
    async insert(device: Omit<Device, 'id'>): Promise<Device> {
      const id = await transaction(db, async (trx) => {
        const row = await trx
          .insertInto('devices')
          .values(deviceColumns(device))
          .returning('id')
          .executeTakeFirstOrThrow()
        await trx
          .insertInto('device_states')
          .values({ device_id: row.id, ...stateColumns(initialDeviceState) })
          .execute()
        await trx.insertInto('device_enrolments').values(enrolmentColumns(row.id, device)).execute()
        return row.id
      })
      return { ...device, id }
    },

    /**
     * Stores many devices with their initial states: all of them, or none. Bounded by what one statement can take, a
     * few hundred. Error: request.conflict as with `insert`.
     */
    async insertMany(devices: readonly Omit<Device, 'id'>[]): Promise<void> {
      if (devices.length === 0) return
      await transaction(db, async (trx) => {
        const rows = await trx
          .insertInto('devices')
          .values(devices.map(deviceColumns))
          .returning(['id', 'ueid'])
          .execute()
        const initial = stateColumns(initialDeviceState)
        await trx
          .insertInto('device_states')
          .values(rows.map(({ id }) => ({ device_id: id, ...initial })))
          .execute()
        const ids = new Map(rows.map(({ id, ueid }) => [ueid, id]))
        const enrolments = devices.map((device) => enrolmentColumns(ids.get(device.ueid) ?? 0, device))
        await trx.insertInto('device_enrolments').values(enrolments).execute()
      })
    },

    async byId(id: number): Promise<Device | undefined> {
      return optional(await all().where('id', '=', id).executeTakeFirst())
    },

    /** What the signatures of these devices are checked with, of those that there are. */
    async publicKeysOf(ueids: readonly Ueid[]): Promise<ReadonlyMap<Ueid, DevicePublicKeys>> {
      const rows = await db
        .selectFrom('devices')
        .select(['ueid', 'device_key', 'ak_public'])
        .where('ueid', 'in', ueids)
        .execute()
      return new Map(
        rows.map(({ ueid, device_key, ak_public }) => [
          ueid,
          { deviceKey: device_key, akPublic: ak_public ?? new Uint8Array(0) },
        ]),
      )
    },

    async byUeid(ueid: Ueid): Promise<Device | undefined> {
      return optional(await all().where('ueid', '=', ueid).executeTakeFirst())
    },

    async byEkName(ekName: Uint8Array): Promise<Device | undefined> {
      return optional(await all().where('ek_name', '=', ekName).executeTakeFirst())
    },

    async byDeviceKeyThumbprint(thumbprint: Uint8Array): Promise<Device | undefined> {
      return optional(await all().where('device_key_thumbprint', '=', thumbprint).executeTakeFirst())
    },

    /** Last enrolled first. */
    async list(page: PageRequest, filter: DeviceFilter = {}): Promise<Page<DeviceWithState>> {
      const cursor = integerCursor(page)
      let query = filtered(filter).orderBy('devices.id', 'desc').limit(rowsToRead(page))
      if (cursor !== undefined) query = query.where('devices.id', '<', cursor)
      const rows = await query.execute()
      return toPage(
        rows,
        page,
        (row) => row.id,
        (row) => ({ device: toDevice(row), state: toState(row) }),
      )
    },

    /** Serial numbers are the vendor's claim: two units of a product may say the same. A few of them at most. */
    async bySerial(productId: string, serial: string): Promise<readonly DeviceWithState[]> {
      const rows = await db
        .selectFrom('devices')
        .innerJoin('device_states', 'device_states.device_id', 'devices.id')
        .selectAll()
        .where('devices.serial', '=', serial)
        .where('devices.product_id', '=', productId)
        .orderBy('devices.id', 'desc')
        .limit(SAME_SERIAL)
        .execute()
      return rows.map((row) => ({ device: toDevice(row), state: toState(row) }))
    },

    /** All of them at once, first enrolled first, at most `limit`. */
    async select(filter: DeviceFilter, limit: number): Promise<readonly DeviceWithState[]> {
      const rows = await filtered(filter).orderBy('devices.id').limit(limit).execute()
      return rows.map((row) => ({ device: toDevice(row), state: toState(row) }))
    },

    /** `now` becomes the time of a revocation. */
    async updateEnrolment(id: number, enrolment: Enrolment, now: number): Promise<void> {
      await db
        .updateTable('devices')
        .set({ enrolment, revoked_at: enrolment === 'revoked' ? now : null })
        .where('id', '=', id)
        .execute()
    },

    /** For a privileged re-enrolment, which never touches the state. Error: request.conflict as with `insert`. */
    async updateKeys(id: number, keys: DeviceKeys): Promise<void> {
      await transaction(db, async (trx) => {
        await trx.updateTable('devices').set(keyColumns(keys)).where('id', '=', id).execute()
        await trx.insertInto('device_enrolments').values(enrolmentColumns(id, keys)).execute()
      })
    },

    /**
     * The certificate of a device that has still this key and was not revoked. False, and nothing changed, for another.
     */
    async renewCertificate(
      id: number,
      deviceKeyThumbprint: Uint8Array,
      { tlsKeyHash, certificateNotAfter }: Pick<Device, 'tlsKeyHash' | 'certificateNotAfter'>,
    ): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable('devices')
        .set({ tls_key_hash: tlsKeyHash, certificate_not_after: certificateNotAfter })
        .where('id', '=', id)
        .where('device_key_thumbprint', '=', deviceKeyThumbprint)
        .where('enrolment', '!=', 'revoked')
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    /** The initial state for a device of which nothing was heard. */
    async stateOf(deviceId: number): Promise<DeviceState> {
      const row = await db.selectFrom('device_states').selectAll().where('device_id', '=', deviceId).executeTakeFirst()
      return row === undefined ? initialDeviceState : toState(row)
    },

    /** A deadline has passed: nothing else of the state changes by that. */
    async setLiveness(deviceId: number, liveness: Liveness): Promise<void> {
      await db.updateTable('device_states').set({ liveness }).where('device_id', '=', deviceId).execute()
    },

    async saveState(deviceId: number, state: DeviceState): Promise<void> {
      const columns = stateColumns(state)
      await db
        .insertInto('device_states')
        .values({ device_id: deviceId, ...columns })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet(columns))
        .execute()
    },
  }
}
