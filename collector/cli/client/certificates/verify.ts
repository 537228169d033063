import { verifyCertificate, type Verdict } from '../../../../shared/certificate/verify.ts'
import { inflateZlib } from '../../../zlib.ts'
import { defineCommand } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { ecdsaKey, ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { inputFile, readInput } from '../inspect/files.ts'
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
    const isGood = verdict.verdict !== 'invalid' && verdict.claimsAllowedFor.length > 0
    present(json(verdict, certifier !== undefined), () =>
      [
        `${style(isGood ? 'green' : 'red', verdict.verdict)}`,
        ...describe(verdict, certifier !== undefined, collector !== undefined).map(printable),
      ].join('\n'),
    )
    return isGood ? exitCodes.good : exitCodes.finding
  },
})

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
    return problems.flatMap(({ code, detail }) => paragraph('  ', `${detail} (${code})`))
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
  ]
}
