import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { factFormatOf, parseEpss, parseKev } from '../../../shared/advisories/kev.ts'
import { parseJson } from '../../../shared/advisories/reading.ts'
import { STATEMENTS } from '../../../shared/advisories/record.ts'
import { text } from '../../../shared/posture/text.ts'
import { addAdvisories, importFacts } from '../../advisories/import.ts'
import { effectsOf, type Effect } from '../../advisories/effects.ts'
import { computeExposures } from '../../advisories/compute.ts'
import { EXPOSURE_REASONS, EXPOSURE_STATUSES, FEED_AUTHORITIES } from '../../model/advisory.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, pageOf, pageQuery, Time, toTimeOrNull } from '../schemas.ts'
import { AdvisoryJson, advisoryJson } from './advisory-json.ts'
import { FLEET, READERS } from './roles.ts'
import { RulingJson, rulingJson, statementJson, StatementJson as StatedJson } from './statement-json.ts'

const MIB = 1024 * 1024
/** Statements of one answer: there are advisories with thousands. */
const MOST = 500

const list = defineEndpoint({
  method: 'GET',
  path: '/advisories',
  operationId: 'listAdvisories',
  summary: 'List advisories by their name; of one name or alias, or about one package',
  roles: READERS,
  scope: 'common',
  query: v.strictObject({
    ...pageQuery,
    cursor: v.optional(v.pipe(v.string(), v.maxLength(600))),
    about: v.optional(text(256)),
    feed: v.optional(text(64)),
  }),
  response: pageOf(AdvisoryJson),
  run: async ({ store }, { query }) => {
    const page = await store.advisories.list(query, query)
    return { ...page, items: page.items.map(advisoryJson) }
  },
})

const StatementJson = v.strictObject({
  feed: v.string(),
  ecosystem: v.string(),
  release: v.string(),
  package: v.string(),
  side: v.picklist(['source', 'binary']),
  product: v.nullable(v.string()),
  statement: v.picklist(STATEMENTS),
  ranges: v.array(
    v.strictObject({
      introduced: v.nullable(v.string()),
      fixed: v.nullable(v.string()),
      lastAffected: v.nullable(v.string()),
    }),
  ),
  versions: v.array(v.string()),
  justification: v.nullable(v.string()),
})

const EffectJson = v.strictObject({
  productId: id('prd'),
  package: v.string(),
  installed: v.string(),
  fixedIn: v.nullable(v.string()),
  status: v.picklist(EXPOSURE_STATUSES),
  reason: v.picklist(EXPOSURE_REASONS),
  justification: v.nullable(v.string()),
  disputedBy: v.array(v.string()),
  devices: v.number(),
  /** Of these, those that a limitation of the profile leaves without the fix, and which one: counted apart. */
  limited: v.number(),
  limitation: v.nullable(v.string()),
  /** Until when it was decided not to matter; null: that was not decided, or is over. */
  excludedUntil: v.nullable(Time),
  /** What was said of it for these devices; what it would be without. */
  ruling: RulingJson,
  unruled: v.picklist(EXPOSURE_STATUSES),
})

const effectJson = ({ excludedUntil, ruling, disputedBy, ...rest }: Effect): v.InferOutput<typeof EffectJson> => ({
  ...rest,
  disputedBy: [...disputedBy],
  excludedUntil: toTimeOrNull(excludedUntil),
  ruling: rulingJson(ruling),
})

const show = defineEndpoint({
  method: 'GET',
  path: '/advisories/:name',
  operationId: 'getAdvisory',
  summary: 'What an advisory says, of which feed, and which devices it concerns',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ name: v.pipe(v.string(), v.minLength(1), v.maxLength(600)) }),
  response: v.strictObject({
    advisories: v.array(AdvisoryJson),
    statements: v.array(StatementJson),
    /** There are more statements than are shown. */
    more: v.boolean(),
    effects: v.array(EffectJson),
    /** What was said of it for products, also where no device is at the moment, and what is over; newest first. */
    stated: v.array(StatedJson),
  }),
  run: async ({ store, clock }, { params: { name } }) => {
    const advisories = await store.advisories.byId(name)
    if (advisories.length === 0) throw new KeepsealError('request.not-found', `advisory ${name}`)
    const entries = await store.advisories.statementsOf(name)
    const effects = await effectsOf(store, name, clock())
    const stated = await store.productStatements.list(MOST, { advisory: name })
    return {
      advisories: advisories.map(advisoryJson),
      statements: entries.slice(0, MOST).map(({ feed, statement }) => {
        const { architecture: _architecture, scheme: _scheme, ranges, versions, ...rest } = statement
        return { ...rest, feed, ranges: ranges.map((range) => ({ ...range })), versions: versions.slice(0, MOST) }
      }),
      more: entries.length > MOST,
      effects: effects.map(effectJson),
      stated: stated.map((one) => statementJson(one, clock())),
    }
  },
})

const add = defineEndpoint({
  method: 'POST',
  path: '/advisories',
  operationId: 'importAdvisories',
  summary:
    'Take in advisories of a document, each in the place of the one of its name, or KEV or EPSS as a whole; all or nothing',
  roles: FLEET,
  scope: 'unbound',
  bodyBytes: 64 * MIB,
  body: v.strictObject({
    feed: v.optional(
      v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and -')),
      'own',
    ),
    authority: v.optional(v.picklist(FEED_AUTHORITIES), 'own'),
    /** The document as it is: OSV, CSAF, OpenVEX, CycloneDX, one of Debian's or Alpine's, KEV, EPSS (CSV). */
    document: v.pipe(v.string(), v.minLength(2)),
  }),
  status: 201,
  response: v.strictObject({
    feed: v.string(),
    advisories: v.array(v.string()),
    withdrawn: v.array(v.string()),
    /** Vulnerabilities of which KEV or EPSS tells something. */
    facts: v.number(),
  }),
  run: async ({ store, clock }, { body: { feed, authority, document }, actor }) => {
    const format = factFormatOf(document)
    if (format !== undefined) {
      const facts = format === 'kev' ? parseKev(parseJson(document)) : [...parseEpss(document)]
      const name = feed === 'own' ? format : feed
      await importFacts(store, name, facts, clock)
      const entry = { at: clock(), actor: actor.id, action: 'advisory.import', subject: name }
      await store.auditLog.append({ ...entry, detail: { feed: name, count: facts.length } })
      return { feed: name, advisories: [], withdrawn: [], facts: facts.length }
    }
    const records = parseAdvisories(parseJson(document))
    await addAdvisories(store, feed, authority, records, clock())
    await computeExposures(store)
    const names = [...new Set(records.map((record) => record.id))]
    const detail = { feed, authority, advisories: names.slice(0, 20).join(' '), count: names.length }
    await store.auditLog.append({ at: clock(), actor: actor.id, action: 'advisory.import', subject: feed, detail })
    const withdrawn = records.filter((record) => record.withdrawn !== null).map((record) => record.id)
    return { feed, advisories: names, withdrawn, facts: 0 }
  },
})

export const advisoryEndpoints: readonly Endpoint[] = [list, show, add]
