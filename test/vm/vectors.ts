import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import type { Story } from './story.ts'

/** What a unit test replays: test/shared/inspect/recorded-boot.test.ts. */
const FOLDER = join('test', 'vectors', 'gateway-boot')

/** Keeps the proofs of this boot: evidence with quote and PCR values, attestation key, boot log, measurement list. */
export async function keepVectors(story: Story, repository: string): Promise<void> {
  const folder = join(repository, FOLDER)
  mkdirSync(folder, { recursive: true })
  const file = (name: string): string => join(folder, name)
  const words = ['--out', file('evidence.cbor'), '--ak-out', file('ak.pem')]
  const { status, output } = story.site.keepseal('device', 'evidence', story.ueid, ...words)
  if (status !== 0) throw new Error(output)
  if (decodeEvidence(new Uint8Array(readFileSync(file('evidence.cbor')))).tpm === null) throw new Error('no quote')
  copyFileSync(join(story.directory, 'data', 'keys', 'collector-id'), file('collector-id'))
  const { shell } = story.machine
  const security = '/sys/kernel/security'
  writeFileSync(file('firmware-log.bin'), await shell.readFile(`${security}/tpm0/binary_bios_measurements`))
  writeFileSync(file('ima-list.bin'), await shell.readFile(`${security}/ima/binary_runtime_measurements`))
}
