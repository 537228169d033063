import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { reportOf, type MirrorReport } from '../../../../shared/mirror/report.ts'
import { connect } from '../api.ts'
import { connectionOptions } from '../settings.ts'
import { counted } from '../text.ts'
import { openMirror } from './directory.ts'
import { pull } from './pull.ts'
import { trustedBefore } from './trust.ts'
import { mirrorJson, mirrorText } from './view.ts'

const keyOption = {
  collector: {
    description: 'Key id that the collector has to have, or to have had first.',
    value: text(64),
    placeholder: 'HEX',
  },
} as const
const directory = { description: 'Directory of the mirror.' }

const exitCodeOf = ({ problemCount, gapCount }: MirrorReport) =>
  problemCount + gapCount === 0 ? exitCodes.good : exitCodes.finding

const pullCommand = defineCommand({
  name: 'mirror pull',
  summary: 'Copy the evidence and decisions of a collector, checked as they come',
  description: [
    'Goes on where the last pull has ended. The key of the collector is kept from the first pull on, and its rotation is ' +
      'followed: --collector is the key id as somebody else gave it to you, then. A page that does not follow the one before, or a collector that ' +
      'contradicts what it has handed over, is refused, and the mirror stays as it was. Ends with 1 if something is ' +
      'wrong or missing.',
  ],
  examples: ['keepseal mirror pull /srv/mirrors/acme'],
  arguments: { directory },
  options: { ...connectionOptions, ...keyOption },
  json: true,
  run: async ({ arguments: { directory: path }, options, terminal, present }) => {
    const { reader, chain, followed, added } = await pull(connect(options, terminal.env), path, options.collector)
    const report = reportOf(reader)
    const said = followed ? ['the collector has changed its key, and was followed'] : []
    present({ added, followed, ...mirrorJson(report, chain) }, () =>
      [...said, `${counted(added, 'page')} added`, ...mirrorText(report, chain)].join('\n'),
    )
    return exitCodeOf(report)
  },
})

const verifyCommand = defineCommand({
  name: 'mirror verify',
  summary: 'Check a mirror without a server: what was handed over, and what is missing',
  description: [
    'Checks the chain of pages, the signature of the collector on each, those of devices and of their TPMs on evidence, ' +
      'and the decision log. Ends with 0 if everything holds and nothing is missing, else with 1.',
  ],
  examples: ['keepseal mirror verify /srv/mirrors/acme --collector 41f0…'],
  arguments: { directory },
  options: keyOption,
  json: true,
  run: ({ arguments: { directory: path }, options: { collector }, present }) => {
    const chain = trustedBefore(path, collector)
    const report = reportOf(openMirror(path, chain).reader)
    present(mirrorJson(report, chain), () => mirrorText(report, chain).join('\n'))
    return exitCodeOf(report)
  },
})

export const mirrorCommands: readonly Command[] = [pullCommand, verifyCommand]
