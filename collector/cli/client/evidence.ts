import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { text } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { connect } from './api.ts'
import { writeOutput } from './inspect/files.ts'
import { connectionOptions } from './settings.ts'

const Tpm = v.looseObject({ tpm: v.nullable(v.looseObject({ akPem: v.string() })) })

const evidence = defineCommand({
  name: 'device evidence',
  summary: "Write a device's newest evidence to a file, as it was received",
  description: ['keepseal inspect evidence and keepseal inspect quote explain it.'],
  examples: ['keepseal device evidence 01… --out evidence.cbor'],
  arguments: { ueid: { description: 'The device, as `device list` shows it.' } },
  options: {
    ...connectionOptions,
    out: { description: 'File to write.', value: text(4096), placeholder: 'FILE', required: true },
    'ak-out': { description: 'File for the attestation key, in PEM.', value: text(4096), placeholder: 'FILE' },
  },
  json: true,
  async run({ options, arguments: { ueid }, terminal, present }) {
    const client = connect(options, terminal.env)
    const device = `/devices/${encodeURIComponent(ueid)}`
    const bytes = await client.getBytes(`${device}/evidence/latest`)
    writeOutput(options.out, bytes)
    const written = [options.out]
    if (options.akOut !== undefined) {
      const { tpm } = await client.get(device, Tpm)
      if (tpm === null) throw new KeepsealError('request.not-found', 'the device has no TPM, and no attestation key')
      writeOutput(options.akOut, Buffer.from(tpm.akPem))
      written.push(options.akOut)
    }
    present({ size: bytes.length, files: written }, () => `${bytes.length} bytes of evidence: ${written.join(', ')}`)
    return exitCodes.good
  },
})

export const evidenceCommands: readonly Command[] = [evidence]
