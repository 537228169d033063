import { MEASURE_SUMMARY, MEASURE_USE, measureOptions } from '../../agent/measure/options.ts'
import { bold, entry, page, paragraphs, section, type Page } from './roff.ts'

/** The privileged helper has no commands, and so no table of them. */
export function measurePage({ version, date }: { readonly version: string; readonly date: string }): Page {
  return page({ name: 'keepseal-measure', section: 8, summary: MEASURE_SUMMARY, version, date }, [
    ...section('SYNOPSIS', [
      bold('keepseal-measure'),
      '.br',
      `${bold('keepseal-measure --listen')} PATH [${bold('--group')} NAME]`,
    ]),
    ...section(
      'DESCRIPTION',
      paragraphs([MEASURE_USE, 'It reads, and writes nothing. What it answers is a fixed list: privileged-helper.md.']),
    ),
    ...section(
      'OPTIONS',
      Object.entries(measureOptions).flatMap(([name, option]) =>
        entry(bold(`--${name}${'placeholder' in option ? ` ${option.placeholder}` : ''}`), [`${option.description}.`]),
      ),
    ),
    ...section('FILES', [
      ...entry(bold('/usr/share/doc/keepseal-agent/privileged-helper.md'), [
        'What it does, and with which privileges.',
      ]),
    ]),
    ...section('SEE ALSO', [bold('keepseal-agent(1)')]),
  ])
}
