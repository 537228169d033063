import { findings, type FindingCode } from '../../shared/codes/findings.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../shared/cbor/codec.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { DeviceState } from '../model/device.ts'
import type { Finding } from '../model/finding.ts'

/** Nobody accepts silence: it ends by evidence alone. */
export const isAcceptable = (code: FindingCode): boolean => findings[code].axis !== 'liveness'

/**
 * A short name for everything that an approval would accept: what a device reports, its latch and its findings. A
 * person who approves says it, so that nothing else than what was looked at is approved. 16 hexadecimal digits.
 */
export function reviewOf(state: DeviceState, unresolved: readonly Finding[]): string {
  const reviewed = unresolved
    .filter(({ code }) => isAcceptable(code))
    .map(({ id, after, state: at }) => [id, after, at])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  const named = encodeCbor([state.postureDigest, state.bootDigest, state.latch, reviewed])
  return toHex(sha256(named)).slice(0, 16)
}

/** What an approval has put aside, for the audit log. */
export function stateBefore({ verdict, verdictCode, latch, postureDigest, pcrDigest }: DeviceState) {
  return {
    previousVerdict: verdict,
    previousVerdictCode: verdictCode,
    previousLatch: latch,
    postureDigest: postureDigest === null ? null : toHex(postureDigest),
    pcrDigest: pcrDigest === null ? null : toHex(pcrDigest),
  }
}
