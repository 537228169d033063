import { fromHex, toHex } from '../../shared/bytes/bytes.ts'
import type { PostureMap } from '../../shared/evidence/claims.ts'
import type { Executor } from './database.ts'

const DAY_MS = 86_400_000

export type PosturesRepository = ReturnType<typeof posturesRepository>

/** Posture maps by their digest, each once per vendor. */
export function posturesRepository(db: Executor) {
  return {
    /** Saving again changes nothing: the digest names the content. */
    async save(vendor: string, digest: Uint8Array, sections: PostureMap): Promise<void> {
      const text = JSON.stringify(Object.fromEntries([...sections].map(([id, section]) => [id, toHex(section)])))
      await db
        .insertInto('postures')
        .values({ vendor, digest, sections: text })
        .onConflict((conflict) => conflict.columns(['vendor', 'digest']).doNothing())
        .execute()
    },

    async find(vendor: string, digest: Uint8Array): Promise<PostureMap | undefined> {
      const row = await db
        .selectFrom('postures')
        .select('sections')
        .where('vendor', '=', vendor)
        .where('digest', '=', digest)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const entries = Object.entries(JSON.parse(row.sections) as Record<string, string>)
      return new Map(entries.map(([id, section]) => [id, fromHex(section)]))
    },

    /** The different ones of active units of a product that have reported since. */
    async ofUnits(productId: string, since: number): Promise<readonly Uint8Array[]> {
      const rows = await db
        .selectFrom('devices')
        .innerJoin('device_states', 'device_states.device_id', 'devices.id')
        .select('device_states.posture_digest as digest')
        .distinct()
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .where('device_states.last_fresh_at', '>=', since)
        .execute()
      return rows.flatMap(({ digest }) => (digest === null ? [] : [digest]))
    },
  }
}

export type PcrSetsRepository = ReturnType<typeof pcrSetsRepository>

/** PCR values by the digest that a quote proves, each once per vendor. */
export function pcrSetsRepository(db: Executor) {
  const values = (vendor: string, digest: Uint8Array) =>
    db
      .selectFrom('pcr_sets')
      .select(['pcr_values', 'last_used_at'])
      .where('vendor', '=', vendor)
      .where('digest', '=', digest)

  return {
    /** `values`: the CBOR in which the values travelled. Saving again changes the time of its use alone. */
    async save(vendor: string, digest: Uint8Array, values: Uint8Array, now: number): Promise<void> {
      await db
        .insertInto('pcr_sets')
        .values({ vendor, digest, pcr_values: values, last_used_at: now })
        .onConflict((conflict) =>
          conflict
            .columns(['vendor', 'digest'])
            .doUpdateSet({ last_used_at: now })
            .where('pcr_sets.last_used_at', '<=', now - DAY_MS),
        )
        .execute()
    },

    /** For values that a report relies on. What was used within a day is left alone: a fleet shares most of them. */
    async use(vendor: string, digest: Uint8Array, now: number): Promise<Uint8Array | undefined> {
      const row = await values(vendor, digest).executeTakeFirst()
      if (row === undefined || row.last_used_at > now - DAY_MS) return row?.pcr_values
      await db
        .updateTable('pcr_sets')
        .set({ last_used_at: now })
        .where('vendor', '=', vendor)
        .where('digest', '=', digest)
        .execute()
      return row.pcr_values
    },

    async find(vendor: string, digest: Uint8Array): Promise<Uint8Array | undefined> {
      return (await values(vendor, digest).executeTakeFirst())?.pcr_values
    },
  }
}

export type BootReferencesRepository = ReturnType<typeof bootReferencesRepository>

/** Reference events of boots by the SHA-256 of their encoding, each once per vendor. */
export function bootReferencesRepository(db: Executor) {
  return {
    /** `rules`: from `encodeBootReference`. Saving again changes nothing. */
    async save(vendor: string, digest: Uint8Array, rules: string): Promise<void> {
      await db
        .insertInto('boot_references')
        .values({ vendor, digest, rules })
        .onConflict((conflict) => conflict.columns(['vendor', 'digest']).doNothing())
        .execute()
    },

    async find(vendor: string, digest: Uint8Array): Promise<string | undefined> {
      const row = await db
        .selectFrom('boot_references')
        .select('rules')
        .where('vendor', '=', vendor)
        .where('digest', '=', digest)
        .executeTakeFirst()
      return row?.rules
    },
  }
}
