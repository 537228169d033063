import * as v from 'valibot'
import { fromBase64Url, toHex } from '../../../../shared/bytes/bytes.ts'
import { defineCommand, type Command } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { ecdsaKey, ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { entriesOfExport, exportLog } from '../../../../shared/decisions/export.ts'
import { DecisionLog, type VerifiedEntry } from '../../../../shared/decisions/log.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { connect, type ApiClient } from '../api.ts'
import { inputFile, readInput, writeOutput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { timeText } from '../text.ts'

const Page = v.object({ entries: v.array(v.string()), nextFrom: v.nullable(v.number()) })

async function entriesOf(client: ApiClient): Promise<readonly Uint8Array[]> {
  const entries: Uint8Array[] = []
  let from: number | null = 0
  while (from !== null) {
    const page: v.InferOutput<typeof Page> = await client.get(`/decisions?from=${from}`, Page)
    entries.push(...page.entries.map(fromBase64Url))
    from = page.nextFrom
  }
  return entries
}

const json = ({ index, at, kind, subject, author, hash: digest, detail }: VerifiedEntry) => ({
  index,
  at: new Date(at * 1000).toISOString(),
  kind,
  subject,
  author: { id: author.id, name: author.name, role: author.role },
  hash: toHex(digest),
  detail,
})

/** Two lines an entry: what was decided, and by whom. */
function line({ index, at, kind, subject, author }: VerifiedEntry): string {
  const time = timeText(new Date(at * 1000).toISOString())
  return `${String(index).padStart(4)}  ${time}  ${kind} ${printable(subject)}\n      by ${printable(author.name)} (${author.role})`
}

/** Every entry is checked here, whatever the collector says of it. */
function verified(entries: readonly Uint8Array[]): readonly VerifiedEntry[] {
  const log = new DecisionLog({ hash, ed25519Key, ecdsaKey })
  return entries.map((entry) => log.append(entry))
}

const show = defineCommand({
  name: 'log show',
  summary: 'Show the decision log, each entry checked on this machine',
  options: connectionOptions,
  json: true,
  run: async ({ options, terminal, present }) => {
    const entries = verified(await entriesOf(connect(options, terminal.env)))
    present(entries.map(json), () => entries.map(line).join('\n'))
    if (entries.length === 0) terminal.error('There is no decision yet: keepseal log begin\n')
    return exitCodes.good
  },
})

const exportCommand = defineCommand({
  name: 'log export',
  summary: 'Write the decision log to a file, to be kept and checked elsewhere',
  options: {
    ...connectionOptions,
    out: { description: 'File to write.', value: text(4096), placeholder: 'FILE', required: true },
  },
  json: true,
  run: async ({ options, terminal, present }) => {
    const entries = await entriesOf(connect(options, terminal.env))
    const head = verified(entries).at(-1)
    writeOutput(options.out, Buffer.from(exportLog(entries)))
    const written = { entries: entries.length, head: head === undefined ? null : toHex(head.hash), file: options.out }
    present(written, () => `${written.entries} entries, head ${written.head ?? '-'}: ${options.out}`)
    return exitCodes.good
  },
})

/** `keepseal inspect log`: needs no server, and trusts nobody but the key that began the log. */
export const inspectLogCommand = defineCommand({
  name: 'inspect log',
  summary: 'Check an exported decision log without a server, and show what it says',
  description: [
    'Each entry has to follow the one before it, to be signed by its author, and to be allowed. The first that does not hold ' +
      'is named, and the exit code is 1. --root is the key id of the first certifier, as he gave it to you: without it ' +
      'the log proves itself, but not who began it. --head is a head that was published, which has to be in the log.',
  ],
  arguments: { file: inputFile('The exported log') },
  options: {
    root: { description: 'Key id of the first certifier.', value: text(64), placeholder: 'HEX' },
    head: { description: 'Hash of an entry that has to be there.', value: text(64), placeholder: 'HEX' },
  },
  json: true,
  async run({ arguments: { file }, options: { root, head }, present, style }) {
    const log = new DecisionLog({ hash, ed25519Key, ecdsaKey })
    const entries: VerifiedEntry[] = []
    let broken: KeepsealError | undefined
    try {
      for (const entry of entriesOfExport(Buffer.from(readInput(file)).toString('utf8')))
        entries.push(log.append(entry))
    } catch (error) {
      if (
        !(error instanceof KeepsealError) ||
        !/^(log|decision|person|profile|document|certificate|case)\./.test(error.code)
      )
        throw error
      broken = error
    }
    const [first] = entries
    const problems = [
      ...(broken === undefined ? [] : [{ code: broken.code, detail: `entry ${entries.length}: ${broken.message}` }]),
      ...(root !== undefined && first?.author.keyId !== root
        ? [{ code: 'log.unknown-author', detail: 'the log was begun by another key than --root' }]
        : []),
      ...(head !== undefined && !entries.some((entry) => toHex(entry.hash) === head)
        ? [{ code: 'log.broken-link', detail: 'the published head is not in the log: it was cut' }]
        : []),
    ]
    const newest = entries.at(-1)
    const report = {
      entries: entries.map(json),
      begunBy: first?.author.keyId ?? null,
      head: newest === undefined ? null : toHex(newest.hash),
      problems,
    }
    present(report, () =>
      [
        ...entries.map(line),
        `begun by key ${report.begunBy ?? '-'}`,
        `head         ${report.head ?? '-'}`,
        ...problems.map(({ code, detail }) => `${style('red', 'WRONG')}: ${printable(detail)} (${code})`),
        ...(problems.length === 0 ? [style('green', 'every entry holds')] : []),
      ].join('\n'),
    )
    return problems.length === 0 && entries.length > 0 ? exitCodes.good : exitCodes.finding
  },
})

export const logCommands: readonly Command[] = [show, exportCommand]
