import { verifyCertificate, type Verdict } from '../../../../shared/certificate/verify.ts'
import { inflateZlib } from '../../../zlib.ts'
import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import type { Styler } from '../../../../shared/cli/terminal.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { ecdsaKey, ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { decodeCertificateFile } from '../../../../shared/certificate/file.ts'
import { connect } from '../api.ts'
import { inputFile, readInput, writeOutput } from '../inspect/files.ts'
import { connectionOptions } from '../settings.ts'
import { certificateArgument } from './decisions.ts'
import { fileOf } from './file.ts'
import { checkedTime } from '../time-option.ts'
import { field, paragraph } from '../text.ts'

/** Needs no server, and trusts nobody but the keys that it is told. */
export const verifyCommand = defineCommand({
  name: 'certificate verify',
  summary: 'Check a certificate file without a server: state, profile, what is covered',
  description: [
    'Ends with 0 if the certificate is in force and something may be claimed, with 1 if not: withdrawn, suspended, expired, ' +
      'or unknown, because no status is fresh. --certifier is the key id of the certifier as he gave it to you: without ' +
      'it the file proves itself, but not who made it. --status is a newer status than that in the file; --status-list ' +
      'the newer list of all certificates of the collector, from its /status-lists/1.',
  ],
  examples: ['keepseal certificate verify gate.keepseal --certifier 41f0… \\\n    --status status.cbor'],
  arguments: { file: inputFile('The certificate file') },
  options: {
    status: { description: 'A newer status.', value: text(4096), placeholder: 'FILE' },
    'status-list': { description: 'A list of the statuses of many.', value: text(4096), placeholder: 'FILE' },
    certifier: { description: 'Key id of the certifier.', value: text(64), placeholder: 'HEX' },
    collector: { description: 'Key id of the collector.', value: text(64), placeholder: 'HEX' },
    at: { description: 'As of another time than now.', value: checkedTime(), placeholder: 'TIME' },
  },
  json: true,
  run: ({ arguments: { file }, options: { status, statusList: list, certifier, collector, at }, present, style }) => {
    const now = Math.floor((at === undefined ? Date.now() : Date.parse(at)) / 1000)
    const verdict = verifyCertificate(
      readInput(file),
      { hash, ed25519Key, ecdsaKey },
      {
        now,
        status: status === undefined ? undefined : readInput(status),
        statusList: list === undefined ? undefined : { bytes: readInput(list), inflate: inflateZlib },
        certifier,
        collector,
      },
    )
    present(json(verdict, certifier !== undefined), () =>
      [headline(verdict, style), ...describe(verdict, certifier !== undefined, collector !== undefined)].join('\n'),
    )
    return isGood(verdict) ? exitCodes.good : exitCodes.finding
  },
})

/** What the collector signs about a certificate now. What it says is checked by the same code as a file without a server. */
export const statusCommand = defineCommand({
  name: 'certificate status',
  summary: 'Show what the collector signs about a certificate now, and keep that',
  description: [
    'It is checked as certificate verify does, and ends with the same codes. --out keeps the signed status, which ' +
      'certificate verify takes as --status; it is fresh for a day.',
  ],
  examples: ['keepseal certificate status crt_… --out status.cbor'],
  arguments: certificateArgument,
  options: {
    ...connectionOptions,
    certifier: { description: 'Key id of the certifier.', value: text(64), placeholder: 'HEX' },
    out: { description: 'File for the signed status.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  run: async ({ options, arguments: { certificate }, terminal, present, style }) => {
    const bytes = await fileOf(connect(options, terminal.env), certificate)
    const { certifier, out } = options
    const now = Math.floor(Date.now() / 1000)
    const verdict = verifyCertificate(bytes, { hash, ed25519Key, ecdsaKey }, { now, certifier })
    if (out !== undefined) writeOutput(out, decodeCertificateFile(bytes).status)
    present(json(verdict, certifier !== undefined), () =>
      [headline(verdict, style), ...describe(verdict, certifier !== undefined, false)].join('\n'),
    )
    return isGood(verdict) ? exitCodes.good : exitCodes.finding
  },
})

const headline = (verdict: Verdict, style: Styler): string => style(isGood(verdict) ? 'green' : 'red', verdict.verdict)

const isGood = ({ verdict, claimsAllowedFor }: Verdict): boolean => verdict !== 'invalid' && claimsAllowedFor.length > 0

const time = (seconds: number): string => new Date(seconds * 1000).toISOString()

const json = (verdict: Verdict, isTrusted: boolean) => ({
  verdict: verdict.verdict,
  problems: verdict.problems,
  certificate: verdict.certificate?.id ?? null,
  number: verdict.certificate?.number ?? null,
  profile: verdict.certificate?.profile ?? null,
  profileDocument: verdict.profile,
  products: verdict.certificate?.products ?? [],
  claimsAllowedFor: verdict.claimsAllowedFor,
  issuedBy: verdict.issuedBy,
  certifierChecked: isTrusted,
  asOf: verdict.asOf === null ? null : time(verdict.asOf),
  believeUntil: verdict.believeUntil === null ? null : time(verdict.believeUntil),
  listed: verdict.listed,
  logHead: verdict.status?.body.log ?? null,
})

function describe(verdict: Verdict, hasCertifier: boolean, hasCollector: boolean): readonly string[] {
  const { certificate, status, problems, issuedBy, claimsAllowedFor } = verdict
  if (certificate === null || status === null) {
    return problems.flatMap(({ code, detail }) => paragraph('  ', printable(`${detail} (${code})`)))
  }
  const { profile, validFrom, validUntil, supportUntil } = certificate
  const notChecked = (known: boolean) => (known ? '' : ' (not checked: no key was given)')
  return [
    ...field('certificate', `${certificate.number}, ${certificate.id}`),
    ...field('issued by', `${issuedBy?.name ?? '-'}${notChecked(hasCertifier)}`),
    `             ${issuedBy?.keyId ?? '-'}`,
    ...field('profile', `${profile.id} ${profile.version}, document ${verdict.profile ?? '-'}`),
    `             ${profile.digest}`,
    ...field('claims', claimsAllowedFor.join(', ') || 'none'),
    ...field('covers', certificate.products.map(({ product }) => product).join(', ')),
    ...field('valid', `${time(validFrom)} to ${time(Math.min(validUntil, supportUntil))}`),
    ...field('as of', `${time(verdict.asOf ?? status.issuedAt)}${notChecked(hasCollector)}`),
    ...field('believe it', `until ${time(verdict.believeUntil ?? status.expiresAt)}`),
    ...(verdict.listed === null ? [] : field('listed as', verdict.listed)),
    ...field('operated by', status.body.operator),
    ...field('log entry', `${status.body.log.index}`),
    `             ${status.body.log.hash}`,
  ].map(printable)
}
