import type { KeyChain } from '../../../../shared/evidence/key-history.ts'
import type { MirrorReport } from '../../../../shared/mirror/report.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { formerKeys, keyIdOf } from '../collector-key.ts'
import { counted, field, paragraph, timeText } from '../text.ts'

const SHOWN = 20

const time = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString()

export const mirrorJson = (report: MirrorReport, chain: KeyChain) => ({
  ...report,
  at: time(report.at),
  collectorKey: keyIdOf(chain.newest.x),
  formerKeys: formerKeys(chain),
})

/** The keys that it had before, the newest first. */
const formerLines = (chain: KeyChain): string[] =>
  formerKeys(chain)
    .toReversed()
    .flatMap(({ keyId, until }) => [...field('', `until ${timeText(until)} it had`), ...field('', keyId)])

/** Within 80 columns. */
export function mirrorText(report: MirrorReport, chain: KeyChain): readonly string[] {
  const { products, problems, problemCount, gaps, gapCount } = report
  const more = (all: number) => (all > SHOWN ? [`  and ${all - SHOWN} more: --json`] : [])
  return [
    ...field('collector', `${report.collectorId ?? '-'}, key`),
    ...field('', keyIdOf(chain.newest.x)),
    ...formerLines(chain),
    ...field('operated by', printable(report.operator) || 'nobody who has begun its decision log'),
    ...field('mirror', `${counted(report.pages, 'page')}, as of ${timeText(time(report.at))}, head`),
    ...field('', report.head ?? '-'),
    ...field('decisions', `${report.decisions.entries}, head`),
    ...field('', report.decisions.head ?? '-'),
    ...products.flatMap((product) => [
      printable(`${product.vendor} ${product.model}`),
      ...field('  devices', `${product.devices} enrolled, ${product.devicesWithEvidence} with evidence`),
      ...field(
        '  declared',
        product.declaredUnits === null ? 'no number of units' : counted(product.declaredUnits, 'unit'),
      ),
      ...field('  evidence', `${product.evidenceKept} kept of ${product.evidenceCounted} counted`),
      ...field('  quotes', `${product.quotesGood} good, ${product.quotesFailed} failed`),
    ]),
    ...problems
      .slice(0, SHOWN)
      .flatMap(({ code, page, detail }) => paragraph('', printable(`WRONG: page ${page}: ${detail} (${code})`))),
    ...more(problemCount),
    ...gaps
      .slice(0, SHOWN)
      .flatMap(({ code, subject, detail }) => paragraph('', printable(`GAP: ${subject}: ${detail} (${code})`))),
    ...more(gapCount),
    ...(problemCount + gapCount === 0 ? ['everything that was handed over holds, and nothing is missing'] : []),
  ]
}
