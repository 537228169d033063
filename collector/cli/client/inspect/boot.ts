import { defineCommand, type CommandOption } from '../../../../shared/cli/command.ts'
import { exitCodes } from '../../../../shared/cli/exit-codes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import * as node from '../../../../shared/crypto/node.ts'
import { inspectBoot } from '../../../../shared/inspect/boot/inspect.ts'
import { bootKeyOf, endorsementOf, nonceOf } from './boot-files.ts'
import { bootText } from './boot-text.ts'
import { readInput } from './files.ts'

const file = (description: string) => ({ description, value: text(4096), placeholder: 'FILE' }) satisfies CommandOption
const needed = (description: string) => ({ ...file(description), required: true }) as const

const optionalFile = (name: string | undefined): Uint8Array | null => (name === undefined ? null : readInput(name))

export const inspectBootCommand = defineCommand({
  name: 'inspect boot',
  summary: 'Appraise the quote and the logs of one boot as one, without a server',
  description: [
    'Checks that the quote is signed by the key and bound to the nonce, and that firmware log and kernel list lead to ' +
      'the quoted PCR values; tells what they prove about Secure Boot. Whether it is what this device should boot is ' +
      'not known here. Without --pcrs the values are tried that the logs lead to.',
    'The exit code is 0 only if all that was given is good, and a quote and a boot log were given.',
    'JSON: verdict (good, failed, not-appraised); parts, each with part, status (good, weak, failed, not-appraised), ' +
      'essential, summary and failures (code, detail, remedy); quote (clock, counters, firmware version, nonce); pcrs ' +
      'by bank and PCR; pcrsFrom (file, replay); eventLog and kernelList by quoted bank; secureBoot as in inspect ' +
      'eventlog; bootAggregate. What was not proven is null or empty.',
  ],
  examples: [
    'keepseal inspect boot --quote quote.msg --signature quote.sig --key ak.pub \\',
    '    --nonce 0011aabb --pcrs quote.pcrs --eventlog binary_bios_measurements \\',
    '    --ima binary_runtime_measurements',
  ],
  options: {
    quote: needed('TPMS_ATTEST, as tpm2_quote -m writes it'),
    signature: needed('TPMT_SIGNATURE, as tpm2_quote -s writes it'),
    key: needed('The attestation key: TPM2B_PUBLIC, TPMT_PUBLIC or PEM'),
    nonce: {
      description: 'The expected qualifying data of the quote, in hexadecimal',
      value: text(128),
      placeholder: 'HEX',
      required: true,
    },
    pcrs: file('PCR values, as tpm2_quote --pcr or tpm2_pcrread writes them'),
    eventlog: file('The firmware event log, binary_bios_measurements'),
    ima: file("The kernel's measurement list, binary or ascii"),
    ek: file('Public area of the endorsement key, for a key under it'),
    'ek-certificate': file('Certificate of the endorsement key, DER or PEM'),
    'ek-roots': { ...file('Roots and intermediates of the TPM vendor, DER or PEM'), multiple: true },
  },
  json: true,
  async run(context) {
    const { options } = context
    const { part, endorsementKeys } = endorsementOf(
      { ek: options.ek, certificate: options.ekCertificate, roots: options.ekRoots },
      Date.now(),
    )
    const report = inspectBoot(
      {
        attest: readInput(options.quote),
        signature: readInput(options.signature),
        key: bootKeyOf(readInput(options.key)),
        nonce: nonceOf(options.nonce),
        pcrs: optionalFile(options.pcrs),
        eventLog: optionalFile(options.eventlog),
        ima: optionalFile(options.ima),
        endorsementKeys,
        endorsement: part,
      },
      { hash: node.hash, importer: node },
    )
    context.present(report, () => bootText(context, report))
    return report.verdict === 'good' ? exitCodes.good : exitCodes.finding
  },
})
