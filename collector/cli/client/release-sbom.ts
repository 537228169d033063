import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { MAX_SBOM_BYTES } from '../../../shared/sbom/component.ts'
import { parseSbom } from '../../../shared/sbom/parse.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect, type ApiClient } from './api.ts'
import { inputFile, readInput } from './inspect/files.ts'
import { pathOfRelease, Release, releaseArgument, releaseIdOf } from './release-reference.ts'
import { connectionOptions } from './settings.ts'
import { counted, field, paragraph, timeText } from './text.ts'

const Sbom = v.looseObject({
  digest: v.string(),
  isOfRelease: v.boolean(),
  format: v.string(),
  formatVersion: v.string(),
  subject: v.nullable(v.looseObject({ name: v.string(), version: v.nullable(v.string()) })),
  importedAt: v.string(),
  importedBy: v.string(),
  components: v.number(),
  managed: v.number(),
  versionless: v.number(),
})
const Shown = v.looseObject({
  ...Sbom.entries,
  items: v.array(v.looseObject({ ecosystem: v.string(), name: v.string(), version: v.nullable(v.string()) })),
  comparison: v.looseObject({
    devices: v.number(),
    silent: v.number(),
    isComparable: v.boolean(),
    missing: v.array(
      v.looseObject({
        name: v.string(),
        version: v.nullable(v.string()),
        devices: v.number(),
        installed: v.array(v.string()),
      }),
    ),
    extra: v.array(v.looseObject({ name: v.string(), version: v.string(), devices: v.number() })),
  }),
  more: v.boolean(),
})

function describe(sbom: v.InferOutput<typeof Sbom>): readonly string[] {
  const { format, formatVersion, subject, digest, isOfRelease, components, managed, versionless } = sbom
  return [
    ...field('format', printable(`${format} ${formatVersion}`)),
    ...field('of', printable(subject === null ? '-' : `${subject.name} ${subject.version ?? ''}`.trim())),
    ...field('digest', printable(digest)),
    ...field('components', `${components}, of which ${managed} of package managers`),
    ...(versionless === 0 ? [] : field('no version', `${versionless}: nothing can be ruled out for them`)),
    ...field('taken in', printable(`${timeText(sbom.importedAt)} by ${sbom.importedBy}`)),
    ...(isOfRelease ? [] : field('outdated', 'the release has other content by now: it counts no more')),
  ]
}

const take = defineCommand({
  name: 'release sbom import',
  summary: 'Say what a release is made of, by a bill of materials in JSON (CycloneDX, SPDX)',
  description: [
    'Components that no package manager of the devices knows are matched with advisories; the others are compared with ' +
      'what devices report. It is for the content that the release has now, and takes the place of the one before.',
  ],
  examples: ['keepseal release sbom import "Gate 7@2.4.1" gate-7-2.4.1.cdx.json'],
  arguments: { release: releaseArgument, file: inputFile('The document') },
  options: connectionOptions,
  json: true,
  run: async ({ options, arguments: { release: reference, file }, terminal, present }) => {
    const document = textOf(readInput(file, MAX_SBOM_BYTES), file)
    // What is wrong with it is told before anybody is asked for anything.
    parseSbom(document)
    const client = connect(options, terminal.env)
    const path = pathOfRelease(await releaseIdOf(client, reference))
    const { digest: releaseDigest } = await client.get(path, Release)
    const replaces = await digestOf(client, path)
    const made = await client.put(`${path}/sbom`, { releaseDigest, replaces, document }, Sbom)
    present(made, () => describe(made).join('\n'))
    return exitCodes.good
  },
})

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KeepsealError('file.unreadable', `${name} is not UTF-8 text`, { cause })
  }
}

async function digestOf(client: ApiClient, path: string): Promise<string | null> {
  try {
    return (await client.get(`${path}/sbom`, Sbom)).digest
  } catch (error) {
    if (error instanceof KeepsealError && error.code === 'request.not-found') return null
    throw error
  }
}

const SHOWN = 40

const show = defineCommand({
  name: 'release sbom show',
  summary: 'Show what a release is made of, and how devices that run it differ from that',
  description: ['Exit code 1: devices that run it differ, or the release has other content by now.'],
  arguments: { release: releaseArgument },
  options: { ...connectionOptions, all: { description: 'All components, not only differences.' } },
  json: true,
  run: async ({ options, arguments: { release: reference }, terminal, present }) => {
    const client = connect(options, terminal.env)
    const found = await client.get(`${pathOfRelease(await releaseIdOf(client, reference))}/sbom`, Shown)
    const { missing, extra, devices, silent, isComparable } = found.comparison
    const cut = (list: readonly unknown[]): readonly string[] =>
      list.length > SHOWN ? [`  and ${list.length - SHOWN} more: --json`] : []
    present(found, () =>
      [
        ...describe(found),
        ...field('devices', `${devices} run it and tell their packages, ${silent} do not tell`),
        ...(isComparable ? [] : field('compared', 'nothing: it names no package of a package manager')),
        ...(missing.length === 0 ? [] : ['', 'In it, and not on devices:']),
        ...missing.slice(0, SHOWN).flatMap((one) => {
          const instead = one.installed.length === 0 ? '' : `, which have ${one.installed.join(', ')}`
          return paragraph(
            '  ',
            printable(`${one.name} ${one.version ?? ''}: ${counted(one.devices, 'device')}${instead}`),
          )
        }),
        ...cut(missing),
        ...(extra.length === 0 ? [] : ['', 'On devices, and not in it:']),
        ...extra
          .slice(0, SHOWN)
          .flatMap((one) =>
            paragraph('  ', printable(`${one.name} ${one.version}: ${counted(one.devices, 'device')}`)),
          ),
        ...cut(extra),
        ...(options.all ? ['', 'Components:'] : []),
        ...(options.all ? found.items : []).flatMap((one) =>
          paragraph('  ', printable(`${one.ecosystem} ${one.name} ${one.version ?? '(no version)'}`)),
        ),
      ].join('\n'),
    )
    return missing.length + extra.length > 0 || !found.isOfRelease ? exitCodes.finding : exitCodes.good
  },
})

export const releaseSbomCommands: readonly Command[] = [take, show]
