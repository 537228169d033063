import { createHash } from 'node:crypto'
import { html, Html } from '../../api/html.ts'
import type { Report, ReportKind } from '../model.ts'
import { certificateSections } from './certificates.ts'
import { gapSection, roadmapSection, standardsSection } from './kinds.ts'
import { code, facts, nothing, when } from './parts.ts'
import { productSection } from './products.ts'
import { evidenceSection, recordSection } from './record.ts'
import { REPORT_STYLE } from './style.ts'

const TITLES: Readonly<Record<ReportKind, string>> = {
  surveillance: 'Surveillance report',
  gap: 'Gap report: current state against the profile',
  roadmap: 'Roadmap',
  standards: 'Comparison with mapped standards',
}

const styleElement = Html.of([`<style>${REPORT_STYLE}</style>`], [])
/** The page is opened as a file as well, where no server sends a policy. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(REPORT_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`

/** A report as one page that needs no script, no other file and no network, and prints. */
export function renderReport(
  report: Report,
  { digest, keyId }: { readonly digest: string; readonly keyId: string },
): Html {
  const { kind, period, madeAt, products } = report
  const about =
    report.certificates.length > 0
      ? report.certificates.map(({ number }) => number)
      : products.map((each) => each.product)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${TITLES[kind]}: ${about.join(', ')}</title>
        ${styleElement}
      </head>
      <body>
        <h1>${TITLES[kind]}</h1>
        ${facts([
          ['About', about.join(', ')],
          ['Period', html`${when(period.from)} to ${when(period.to)}`],
          ['Made', when(madeAt)],
          ['Collector operated by', report.operator ?? 'nobody says: its decision log has not begun'],
          ['Collector', code(report.collector)],
          ['SHA-256 of the report', code(digest)],
          ['Signed by key', code(keyId)],
          ['Catalogue of practices', html`version ${report.catalogue.version}, ${code(report.catalogue.digest)}`],
        ])}
        ${certificateSections(report)} ${report.gap === undefined ? nothing : gapSection(report.gap)}
        ${report.roadmap === undefined ? nothing : roadmapSection(report.roadmap)}
        ${report.standards === undefined ? nothing : standardsSection(report.standards)}
        ${products.map((product) => productSection(product, kind === 'surveillance'))}
        ${kind === 'surveillance' || kind === 'roadmap' ? recordSection(report) : nothing} ${evidenceSection(report)}
      </body>
    </html>`
}
