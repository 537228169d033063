import { describe, expect, it } from 'vitest'
import { releaseOf, withListener, withPackage } from '../../../deploy/simulator/posture/release.ts'
import { postureOf } from '../../../deploy/simulator/posture/posture.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import { inflateRawSync } from 'node:zlib'
import { concat } from '../../../shared/bytes/bytes.ts'
import type { Content } from '../../../deploy/simulator/posture/content.ts'

const bytesOf = ({ parts }: Content): Uint8Array => inflateRawSync(concat(...parts.map(({ part }) => part)))

describe('a release of the simulated product', () => {
  const releases = [releaseOf(1), releaseOf(2)]

  it('has sections that a collector can read, also after they have drifted', () => {
    const readings = releaseOf(1).posture.readings
    const drifted = [withListener(readings, 4444, '/tmp/nc'), withPackage(readings, 'package-003', '9.9')].map(
      postureOf,
    )
    for (const { sections } of [...releases.map(({ posture }) => posture), ...drifted]) {
      for (const [id, { bytes }] of sections) expect(() => decodeSection(id, bytes)).not.toThrow()
    }
  })

  it('differs from the next one in its posture and its boot', () => {
    const digests = releases.flatMap(({ posture, boot, tampered }) => [
      toHex(posture.digest),
      toHex(boot.pcrDigest),
      toHex(tampered.pcrDigest),
    ])
    expect(new Set(digests).size).toBe(6)
  })

  it('has boot logs that lead to the values that are quoted, and say that they are simulated', () => {
    for (const { boot, tampered } of releases) {
      for (const { log, pcrs } of [boot, tampered]) {
        const bytes = bytesOf(log)
        const values = pcrs.get('sha256') ?? new Map<number, Uint8Array>()
        expect(() => verifyEventLog(parseEventLog(bytes), 'sha256', values, hash)).not.toThrow()
        expect(Buffer.from(bytes).toString('latin1').replaceAll('\0', '')).toContain('SIMULATED')
      }
    }
  })

  it('is made once, whoever asks', () => {
    expect(releaseOf(2)).toBe(releases[1])
  })
})
