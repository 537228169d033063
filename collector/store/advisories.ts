import { sql, type Selectable } from 'kysely'
import type { AdvisoryRecord, ExploitedVulnerability, ExploitProbability } from '../../shared/advisories/record.ts'
import type { PackageStatement } from '../../shared/advisories/record.ts'
import type { Entry, StoredAdvisory } from '../model/advisory.ts'
import type { Executor } from './database.ts'
import { toPage, rowsToRead, type Page, type PageRequest } from './paging.ts'
import type { AdvisoriesTable, VulnerabilityFactsTable } from './schema-advisories.ts'

/** Rows of one statement: a database takes a bounded number of values. */
const ROWS = 500

type Content = Pick<StoredAdvisory, 'format' | 'aliases' | 'summary' | 'cvss' | 'modified'>
type StatementContent = Omit<PackageStatement, 'package'> & { readonly cves: readonly string[] }

/** A record with the CVE names that it is about. */
export interface AdvisoryToAdd {
  readonly record: AdvisoryRecord
  readonly cves: readonly string[]
}

/** An advisory with all that is kept of it. */
export type WholeAdvisory = Omit<StoredAdvisory, 'feed' | 'knownAt'> & {
  readonly statements: readonly (PackageStatement & { readonly cves: readonly string[] })[]
}

export interface AdvisoryFilter {
  readonly feed?: string | undefined
  /** An id, an alias, or the name of a package. */
  readonly about?: string | undefined
}

export type VulnerabilityFact = Partial<ExploitedVulnerability> & Partial<ExploitProbability> & { readonly cve: string }

export type AdvisoriesRepository = ReturnType<typeof advisoriesRepository>

/** Advisories in sets, of which each feed has one that counts. */
export function advisoriesRepository(db: Executor) {
  const active = () =>
    db
      .selectFrom('advisories')
      .innerJoin('advisory_feeds', 'advisory_feeds.active_set', 'advisories.set_id')
      .leftJoin('known_advisories', 'known_advisories.id', 'advisories.id')
      .selectAll('advisories')
      .select(['advisory_feeds.id as feed', 'known_advisories.known_at as known_at'])

  return {
    /** Records of one name are one advisory: the first says what it is, all say what of which package. */
    async add(set: number, records: readonly AdvisoryToAdd[], now: number): Promise<void> {
      const rows = records.map(({ record }) => ({
        set_id: set,
        id: record.id,
        severity: record.severity,
        published: record.published,
        withdrawn: record.withdrawn,
        content: JSON.stringify({
          format: record.format,
          aliases: record.aliases,
          summary: record.summary,
          cvss: record.cvss,
          modified: record.modified,
        } satisfies Content),
      }))
      const statements = records.flatMap(({ record, cves }) =>
        record.withdrawn !== null
          ? []
          : record.statements.map(({ package: name, ...rest }) => ({
              set_id: set,
              package: name,
              advisory: record.id,
              content: JSON.stringify({ ...rest, cves } satisfies StatementContent),
            })),
      )
      const known = records.map(({ record }) => ({ id: record.id, known_at: now }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('advisories')
          .values(rows.slice(at, at + ROWS))
          .onConflict((conflict) => conflict.columns(['set_id', 'id']).doNothing())
          .execute()
        await db
          .insertInto('known_advisories')
          .values(known.slice(at, at + ROWS))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
      }
      for (let at = 0; at < statements.length; at += ROWS) {
        await db
          .insertInto('advisory_statements')
          .values(statements.slice(at, at + ROWS))
          .execute()
      }
    },

    async addFacts(set: number, facts: readonly VulnerabilityFact[]): Promise<void> {
      const rows = facts.map(({ cve, addedAt, dueAt, probability, percentile }) => ({
        set_id: set,
        cve,
        added_at: addedAt ?? null,
        due_at: dueAt ?? null,
        probability: probability ?? null,
        percentile: percentile ?? null,
      }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('vulnerability_facts')
          .values(rows.slice(at, at + ROWS))
          .onConflict((conflict) => conflict.columns(['set_id', 'cve']).doNothing())
          .execute()
      }
    },

    /** Those of a set after one of them, in order, each with what it says, in order as well. */
    async ofSet(set: number, after: string, limit: number): Promise<readonly WholeAdvisory[]> {
      const rows = await db
        .selectFrom('advisories')
        .selectAll()
        .where('set_id', '=', set)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      const ids = rows.map(({ id }) => id)
      const statements = new Map<string, { package: string; content: string }[]>(ids.map((id) => [id, []]))
      for (let at = 0; at < ids.length; at += ROWS) {
        const found = await db
          .selectFrom('advisory_statements')
          .select(['advisory', 'package', 'content'])
          .where('set_id', '=', set)
          .where('advisory', 'in', ids.slice(at, at + ROWS))
          .execute()
        for (const { advisory, ...one } of found) statements.get(advisory)?.push(one)
      }
      return rows.map(({ id, severity, published, withdrawn, content }) => ({
        id,
        severity,
        published,
        withdrawn,
        ...(JSON.parse(content) as Content),
        statements: (statements.get(id) ?? [])
          .sort((a, b) => compareText(a.package, b.package) || compareText(a.content, b.content))
          .map((one) => ({ package: one.package, ...(JSON.parse(one.content) as StatementContent) })),
      }))
    },

    /** Facts of a set after one of them, in order. */
    async factsOfSet(set: number, after: string, limit: number): Promise<readonly VulnerabilityFact[]> {
      const rows = await db
        .selectFrom('vulnerability_facts')
        .selectAll()
        .where('set_id', '=', set)
        .where('cve', '>', after)
        .orderBy('cve')
        .limit(limit)
        .execute()
      return rows.map((row) => toFact(row, {}))
    },

    /** What counts about packages of these names. */
    async entries(packages: readonly string[]): Promise<readonly Entry[]> {
      const entries: Entry[] = []
      for (let at = 0; at < packages.length; at += ROWS) {
        const rows = await db
          .selectFrom('advisory_statements')
          .innerJoin('advisory_feeds', 'advisory_feeds.active_set', 'advisory_statements.set_id')
          .select(['advisory_statements.package', 'advisory_statements.advisory', 'advisory_statements.content'])
          .select('advisory_feeds.id as feed')
          .where('advisory_statements.package', 'in', packages.slice(at, at + ROWS))
          .execute()
        for (const row of rows) {
          const { cves, ...rest } = JSON.parse(row.content) as StatementContent
          entries.push({ advisory: row.advisory, feed: row.feed, cves, statement: { ...rest, package: row.package } })
        }
      }
      return entries
    },

    /** What one advisory says, of all feeds that have it. */
    async statementsOf(advisory: string): Promise<readonly Entry[]> {
      const rows = await db
        .selectFrom('advisory_statements')
        .innerJoin('advisory_feeds', 'advisory_feeds.active_set', 'advisory_statements.set_id')
        .select(['advisory_statements.package', 'advisory_statements.content', 'advisory_feeds.id as feed'])
        .where('advisory_statements.advisory', '=', advisory)
        .execute()
      return rows.map(({ package: name, content, feed }) => {
        const { cves, ...rest } = JSON.parse(content) as StatementContent
        return { advisory, feed, cves, statement: { ...rest, package: name } }
      })
    },

    /** By id, from the first. `about` is compared as it is: an id, or one of the aliases. */
    async list(page: PageRequest, { feed, about }: AdvisoryFilter = {}): Promise<Page<StoredAdvisory>> {
      let query = active().orderBy('advisories.id').orderBy('advisories.set_id').limit(rowsToRead(page))
      if (feed !== undefined) query = query.where('advisory_feeds.id', '=', feed)
      if (page.cursor !== undefined && page.cursor !== null) query = query.where('advisories.id', '>', page.cursor)
      if (about !== undefined) {
        query = query.where((or) =>
          or.or([
            or('advisories.id', '=', about),
            sql<boolean>`advisories.content like ${`%"${about.replace(/[%_"\\]/g, '')}"%`}`,
            or(
              'advisories.id',
              'in',
              or.selectFrom('advisory_statements').select('advisory').where('package', '=', about),
            ),
          ]),
        )
      }
      return toPage(await query.execute(), page, ({ id }) => id, toAdvisory)
    },

    async byId(id: string): Promise<readonly StoredAdvisory[]> {
      return (await active().where('advisories.id', '=', id).execute()).map(toAdvisory)
    },

    async byIds(ids: readonly string[]): Promise<readonly StoredAdvisory[]> {
      const found: StoredAdvisory[] = []
      for (let at = 0; at < ids.length; at += ROWS) {
        const rows = await active()
          .where('advisories.id', 'in', ids.slice(at, at + ROWS))
          .execute()
        found.push(...rows.map(toAdvisory))
      }
      return found
    },

    /** What is known of these vulnerabilities, by CVE name. */
    async facts(cves: readonly string[]): Promise<ReadonlyMap<string, VulnerabilityFact>> {
      const facts = new Map<string, VulnerabilityFact>()
      for (let at = 0; at < cves.length; at += ROWS) {
        const rows = await db
          .selectFrom('vulnerability_facts')
          .innerJoin('advisory_feeds', 'advisory_feeds.active_set', 'vulnerability_facts.set_id')
          .selectAll('vulnerability_facts')
          .where('cve', 'in', cves.slice(at, at + ROWS))
          .execute()
        for (const row of rows) {
          facts.set(row.cve, toFact(row, facts.get(row.cve) ?? {}))
        }
      }
      return facts
    },
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const toFact = (
  { cve, added_at, due_at, probability, percentile }: Selectable<VulnerabilityFactsTable>,
  known: Partial<VulnerabilityFact>,
): VulnerabilityFact => ({
  ...known,
  cve,
  ...(added_at === null ? {} : { addedAt: added_at, dueAt: due_at }),
  ...(probability === null ? {} : { probability, percentile: percentile ?? 0 }),
})

type Row = Selectable<AdvisoriesTable> & { readonly feed: string; readonly known_at: number | null }

function toAdvisory({ id, feed, severity, published, withdrawn, content, known_at: knownAt }: Row): StoredAdvisory {
  return { id, feed, severity, published, withdrawn, knownAt: knownAt ?? 0, ...(JSON.parse(content) as Content) }
}
