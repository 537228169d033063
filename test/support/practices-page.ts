import { defaultCatalogue } from '../../shared/maturity/catalogue/catalogue.ts'
import { DOMAINS, PRACTICE_IDS, PRACTICES } from '../../shared/maturity/practices.ts'
import { markdownTable } from './codes-page.ts'

const INTRODUCTION = `# Practices

The 18 practices of the IoT Security Maturity Model, with what this product says about each: its objective and levels, the
documents that people hand in for it, and the requirements of other frameworks that it has to do with. Names and order are
the model's; every description is in our own words. Levels are 1 minimum, 2 ad hoc, 3 consistent, 4 formalized; each presumes
those below it. \`keepseal practice show PRACTICE\` shows one practice in full, with the signals that are measured for it.

This page is made from \`shared/maturity/catalogue\`: after a change there, run the unit tests once with
\`KEEPSEAL_UPDATE_DOCS=1\`.

## Amend the catalogue

A certifier can change what is said: objectives, levels, aliases, kinds of document and how long they are good for, mappings.
The practices themselves, and what signals say about them, belong to the program.

    keepseal practice catalogue --out catalogue.yaml --schema catalogue.schema.json
    keepseal practice catalogue --check catalogue.yaml

\`--check\` names each mistake with line and column and ends with 1 if there is any. The collector takes the file as
\`catalogue.file\`, checks it when it starts, and does not start with one that is wrong. Its digest is logged at the start and
shown by \`GET /api/v1/practice-catalogue\`, so that it is known which words something was decided by.
`

const DOCUMENTS = `## Documents

What people hand in for a practice. \`from\` is the lowest level that asks for the document, \`up to\` the highest that it helps
to support. No document is good for more than 24 months.

    keepseal document submit FILE --kind KIND --practice PRACTICE --product VENDOR/MODEL --issued DATE …
    keepseal document accept DOCUMENT --reason TEXT
    keepseal document list

The file stays with who submits it: its name and SHA-256 are signed in the decision log, with what the person states and in
which capacity. A certifier other than he accepts it. From its dates every reader computes the same: accepted, expiring (the
last 30 days), in grace (14 days after its end, in which it still counts), expired. \`document expire\` ends one before its time,
without grace. A document whose signer was revoked later is flagged; nothing that he submitted is accepted any more.

    keepseal document request --kind KIND --practice PRACTICE --product VENDOR/MODEL --until DATE --from CAPACITY …
    keepseal document requests

A request says, signed, who owes which document until when: a person of the log by \`--person\`, or a function by \`--from\`. The
first accepted document of that kind, practice and products that was submitted afterwards fulfils it. While one waits for
acceptance the request shows as handed in. It is withdrawn by who asked, or by a certifier. Of what ends, and of what is owed,
people are told: docs/notifications.md. The collector takes no document, and no request, of a kind that its catalogue does
not have for the practice.
`

const FRAMEWORKS = `## Mappings

Which requirement goes with which practice is our reading and no official table: check the original before relying on it.
`

/** docs/practices.md, as `prettier` would write it. */
export function practicesPage(): string {
  const { practices, documents, frameworks } = defaultCatalogue
  const byDomain = DOMAINS.flatMap((domain) => [
    `## ${domain.charAt(0).toUpperCase()}${domain.slice(1)}\n`,
    markdownTable(
      ['Practice', 'Objective', 'Mapped to'],
      PRACTICE_IDS.filter((id) => PRACTICES[id].domain === domain).map((id) => [
        `\`${id}\``,
        practices[id].objective,
        Object.keys(practices[id].mappings).join(', '),
      ]),
    ),
  ])
  const kinds = Object.entries(documents).flatMap(([kind, { title, months, practices: uses, expiresOn }]) =>
    Object.entries(uses).map(([practice, { from, supports }]) => [
      `\`${kind}\``,
      title,
      practice,
      String(from),
      String(supports),
      String(months),
      expiresOn.join(', '),
    ]),
  )
  const columns = ['Kind', 'What it is', 'Practice', 'From', 'Up to', 'Months', 'Void at']
  return [
    INTRODUCTION,
    ...byDomain,
    DOCUMENTS,
    markdownTable(columns, kinds),
    FRAMEWORKS,
    markdownTable(
      ['Framework', 'What it is', 'Version'],
      Object.entries(frameworks).map(([id, { title, version }]) => [`\`${id}\``, title, version]),
    ),
  ].join('\n')
}
