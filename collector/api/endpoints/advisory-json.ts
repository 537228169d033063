import * as v from 'valibot'
import { ADVISORY_SEVERITIES } from '../../../shared/maturity/events/kinds.ts'
import type { StoredAdvisory } from '../../model/advisory.ts'
import { Time, toTime, toTimeOrNull } from '../schemas.ts'

export const Severity = v.nullable(v.picklist(ADVISORY_SEVERITIES))

export const AdvisoryJson = v.strictObject({
  id: v.string(),
  feed: v.string(),
  format: v.string(),
  aliases: v.array(v.string()),
  summary: v.string(),
  /** null: nobody has rated it. */
  severity: Severity,
  cvss: v.nullable(v.string()),
  published: v.nullable(Time),
  modified: v.nullable(Time),
  withdrawn: v.nullable(Time),
  knownAt: Time,
})

export const advisoryJson = (advisory: StoredAdvisory): v.InferOutput<typeof AdvisoryJson> => ({
  ...advisory,
  aliases: [...advisory.aliases],
  published: toTimeOrNull(advisory.published),
  modified: toTimeOrNull(advisory.modified),
  withdrawn: toTimeOrNull(advisory.withdrawn),
  knownAt: toTime(advisory.knownAt),
})
