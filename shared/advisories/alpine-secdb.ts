import * as v from 'valibot'
import { checkedAs, componentName, identifier, listOf, malformed, shortText } from './reading.ts'
import { MAX_STATEMENTS, type AdvisoryRecord, type PackageStatement } from './record.ts'

/** Alpine's secdb: one file for each branch and repository, with the versions in which each origin package was fixed. */

const schema = v.looseObject({
  distroversion: v.pipe(v.string(), v.regex(/^(?:v\d+\.\d+|edge)$/, 'a branch as v3.19')),
  reponame: v.optional(shortText(64)),
  packages: listOf(
    v.looseObject({
      pkg: v.looseObject({
        name: componentName,
        secfixes: v.nullish(v.record(v.string(), v.nullable(listOf(shortText(4096), MAX_STATEMENTS))), {}),
      }),
    }),
    50_000,
  ),
})

/** Error: advisory.malformed. */
export function parseAlpineSecdb(value: unknown): readonly AdvisoryRecord[] {
  const { distroversion, packages } = checkedAs(schema, value)
  const release = distroversion.replace(/^v/, '')
  const byId = new Map<string, { aliases: Set<string>; statements: PackageStatement[] }>()
  for (const [index, { pkg }] of packages.entries()) {
    for (const [version, names] of Object.entries(pkg.secfixes ?? {})) {
      for (const line of names ?? []) {
        // Several names of one vulnerability stand in one line: "CVE-2019-1 GHSA-x".
        const [id, ...aliases] = line.trim().split(/\s+/)
        if (id === undefined || id === '') throw malformed(`packages.${index}.${version}`, 'an empty name')
        for (const each of [id, ...aliases]) checkedAs(identifier, each, `packages.${index}.${version}`)
        const record = byId.get(id) ?? { aliases: new Set(), statements: [] }
        for (const alias of aliases) if (alias !== id) record.aliases.add(alias)
        record.statements.push(statementOf(pkg.name, release, version))
        byId.set(id, record)
      }
    }
  }
  return [...byId].map(([id, { aliases, statements }]) => ({
    id,
    format: 'alpine-secdb',
    aliases: [...aliases],
    summary: '',
    severity: null,
    cvss: null,
    published: null,
    modified: null,
    withdrawn: null,
    statements,
  }))
}

function statementOf(name: string, release: string, version: string): PackageStatement {
  const of = {
    ecosystem: 'Alpine',
    release,
    package: name,
    side: 'source',
    architecture: null,
    product: null,
    scheme: 'apk',
    versions: [],
  } as const
  // Version 0: Alpine's package never was affected.
  if (version === '0')
    return { ...of, statement: 'not-affected', ranges: [], justification: 'never affected in Alpine' }
  const ranges = [{ introduced: null, fixed: version, lastAffected: null }]
  return { ...of, statement: 'affected', ranges, justification: null }
}
