import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromBase64Url, fromHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { decodeEvidence, evidenceBinding } from '../../../shared/evidence/evidence.ts'
import { inspectBoot, type BootFiles } from '../../../shared/inspect/boot/inspect.ts'
import { primitives } from '../../support/whole-boot.ts'

/** A boot of the virtual gateway of `npm run test:vm`, recorded by it: docs/virtual-gateway.md. */
const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../vectors/gateway-boot/${name}`, import.meta.url)))

function recorded(): BootFiles {
  const evidence = decodeEvidence(read('evidence.cbor'))
  const { tpm, claims, claimsBytes, message } = evidence
  if (tpm === null) throw new Error('the evidence has no quote')
  const { x = '', y = '' } = createPublicKey(Buffer.from(read('ak.pem'))).export({ format: 'jwk' })
  const collectorId = fromHex(Buffer.from(read('collector-id')).toString('utf8').trim())
  const terms = { ueid: claims.ueid, deviceKeyThumbprint: message.keyId, collectorId, claimsBytes }
  return {
    attest: tpm.attest,
    signature: tpm.signature,
    key: { kind: 'ec', curve: 'p256', x: fromBase64Url(x), y: fromBase64Url(y) },
    nonce: evidenceBinding({ ...terms, nonce: claims.nonce }, hash),
    pcrs: tpm.pcrs,
    eventLog: read('firmware-log.bin'),
    ima: read('ima-list.bin'),
    endorsementKeys: [],
    endorsement: null,
  }
}

describe('the recorded boot of a gateway with Secure Boot, a unified kernel image and IMA', () => {
  it('is proven from the quote to the last file that the kernel measured', () => {
    const report = inspectBoot(recorded(), primitives)
    const statuses = Object.fromEntries(report.parts.map(({ part, status }) => [part, status]))
    expect(statuses).toMatchObject({
      quote: 'good',
      'event log': 'good',
      'firmware PCRs': 'good',
      'secure boot': 'good',
      'boot coverage': 'good',
      'kernel list': 'good',
      'boot aggregate': 'good',
    })
    expect(report.secureBoot).toMatchObject({ enabled: true })
    // Measured by systemd after the firmware's log had closed.
    expect(report.eventLog[0]?.late).toEqual([{ pcr: 11, words: ['sysinit', 'ready'] }])
    expect(report.kernelList[0]?.matchedEntries).toBeGreaterThan(300)
  })

  it('is refused with another log, list, quote or nonce', () => {
    const files = recorded()
    const flip = (bytes: Uint8Array, offset: number): Uint8Array =>
      bytes.map((byte, i) => (i === offset ? byte ^ 1 : byte))
    const verdict = (changed: Partial<BootFiles>): string => inspectBoot({ ...files, ...changed }, primitives).verdict
    expect(verdict({ eventLog: flip(files.eventLog ?? new Uint8Array(0), 200) })).toBe('failed')
    expect(verdict({ ima: flip(files.ima ?? new Uint8Array(0), 30) })).toBe('failed')
    expect(verdict({ attest: flip(files.attest, 60) })).toBe('failed')
    expect(verdict({ nonce: flip(files.nonce, 0) })).toBe('failed')
  })
})
