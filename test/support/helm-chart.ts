import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { repository } from '../architecture/sources.ts'
import { renderTemplate } from './helm-templates.ts'

export type ChartValues = Readonly<Record<string, unknown>>

export const chartDirectory = join(repository, 'deploy', 'helm', 'keepseal-collector')
/** Name of the release that tests render. */
export const RELEASE = 'fleet'

export const readChart = (...path: readonly string[]): string => readFileSync(join(chartDirectory, ...path), 'utf8')

/** What the strict reader makes of each template, by the name of its file. `changes`: in the place of whole values. */
export function renderChart(changes: ChartValues = {}): Readonly<Record<string, string>> {
  const about = parse(readChart('Chart.yaml')) as { readonly appVersion: string }
  const root = {
    Values: { ...(parse(readChart('values.yaml')) as ChartValues), ...changes },
    Release: { Name: RELEASE },
    Chart: { AppVersion: about.appVersion },
  }
  const files = readdirSync(join(chartDirectory, 'templates'))
  return Object.fromEntries(files.map((file) => [file, renderTemplate(readChart('templates', file), root)]))
}
