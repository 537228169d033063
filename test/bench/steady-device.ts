import { encodeCbor } from '../../shared/cbor/codec.ts'
import { coseKeyThumbprint } from '../../shared/cose/key.ts'
import { hash, random, sha256 } from '../../shared/crypto/node.ts'
import { makeUeid } from '../../shared/evidence/identifiers.ts'
import { postureDigestOf } from '../../shared/evidence/posture-digest.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { SECTIONS } from '../../shared/posture/sections.ts'
import { pcrDigest, quotedStateDigest, type PcrSelection, type PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { encodePublicArea, nameOf } from '../../shared/tpm/public.ts'
import { encodeSignature } from '../../shared/tpm/signature.ts'
import { version } from '../../shared/version.ts'
import { makeEvidence, type EvidenceInput, type MadeEvidence } from '../../agent/attest/make-evidence.ts'
import { AttestationSession } from '../../agent/attest/session.ts'
import type { AppraisalPolicy, KnownDevice } from '../../collector/appraisal/context.ts'
import { initialDeviceState, type Device } from '../../collector/model/device.ts'
import { ed25519Signer } from '../support/node-signer.ts'
import { encodeAttest, SoftwareSigner } from '../support/tpm-quote.ts'

/**
 * A gateway in its usual state, made by the agent's own code: enrolled, approved, nothing changed since the last
 * report, the collector knows its posture and PCR values. Only its TPM is replaced, by a key of the same kind.
 */
export interface SteadyDevice {
  readonly evidence: MadeEvidence
  /** What the collector has read from its store beforehand; without the imported keys. */
  readonly known: Omit<KnownDevice, 'deviceKey' | 'attestationKey'>
  readonly device: Device
  readonly policy: AppraisalPolicy
  readonly receivedAt: number
}

const NOW = Date.UTC(2026, 10, 22, 12)
const QUOTED_PCRS = Array.from({ length: 15 }, (_, pcr) => pcr)

export async function steadyDevice(): Promise<SteadyDevice> {
  const seed = random(32)
  const { signer, x } = ed25519Signer(seed)
  const attestationKey = new SoftwareSigner('ecdsa')
  const ueid = makeUeid(random(16))
  const collectorId = random(16)
  const nonce = random(32)
  const pcrs: PcrValues = new Map([['sha256', new Map(QUOTED_PCRS.map((pcr) => [pcr, sha256(Uint8Array.of(pcr))]))]])
  const selection: PcrSelection = [{ bank: 'sha256', pcrs: QUOTED_PCRS }]
  const contents = Object.keys(SECTIONS).map((id) => [id, encodeCbor(id)] as const)
  const posture = new Map(contents.map(([id, content]) => [id, new Uint8Array(sha256(content))] as const))
  const postureDigest = postureDigestOf(posture, hash)
  const firmwareLog = new Uint8Array(sha256(Uint8Array.of(0xff)))
  const quotedDigest = new Uint8Array(pcrDigest(hash, 'sha256', pcrs, selection))

  const session = new AttestationSession(random(16), random(32))
  const input: EvidenceInput = {
    ueid,
    collectorId,
    signer,
    session,
    nonce,
    posture: {
      sections: new Map(),
      measurements: new Map(),
      posture,
      postureDigest,
      state: new Map<string, number | string>([
        ['update-channel.last-check-age', 43_210],
        ['update-channel.last-check-source', 'stamp'],
        ['sockets.own-addresses', 'tcp/192.168.1.10:22 udp/192.168.1.10:68'],
      ]),
      bootId: random(16),
      uptimeSeconds: 4_000_000,
    },
    state: new Map<string, number | string>([
      ['outbox.dropped', 0],
      ['outbox.refused', 0],
      ['outbox.waiting', 1],
      ['agent.rss-kib', 78_120],
      ['agent.cpu-ms', 1_240],
      ['agent.bytes-sent', 1_514],
      ['agent.restarts', 3],
      ['agent.helper', 'used'],
      ['agent.helper-cpu-ms', 310],
      ['agent.helper-age', 600],
      ['agent.result', 12],
      ['sockets.samples', 5],
      ['sockets.sample-seconds', 60],
      ['sockets.short-lived', 0],
      ['tpm.lockout-counter', 0],
      ['system.stale-processes', 0],
      ['patch-level.metadata-age', 43_210],
      ['update-channel.key-expiry', 1_858_699_101],
      ['update-channel.last-install-age', 143_210],
    ]),
    hardwareModel: 'Edge Gateway 4000',
    software: { name: 'keepseal-agent', version },
    issuedAt: NOW / 1000,
    quote: (extraData) => {
      const { qualifiedName } = attestationKey.attestationKey
      const facts = { qualifiedSigner: qualifiedName, extraData, selection, pcrDigest: quotedDigest }
      const attest = encodeAttest({ magic: 0xff544347, type: 0x8018, safe: 1, ...facts })
      return Promise.resolve({ attest, signature: encodeSignature(attestationKey.sign(attest)), pcrs })
    },
    firmwareLogDigest: firmwareLog,
    acknowledged: { postureDigest: null, pcrDigest: null },
  }
  // The second message of a session: it follows one with everything, which the collector holds.
  const first = await makeEvidence(input)
  session.advance(first.hash)
  const evidence = await makeEvidence({ ...input, acknowledged: first })

  const device: Device = {
    id: 1,
    ueid,
    productId: 'prd_1',
    vendor: 'Example Works',
    model: 'Edge Gateway 4000',
    hardwareRevision: 'A',
    serial: '1',
    enrolment: 'active',
    identity: 'tpm-endorsed',
    deviceKey: x,
    deviceKeyThumbprint: coseKeyThumbprint({ curve: 'Ed25519', x }, hash),
    tlsKeyHash: random(32),
    certificateNotAfter: NOW + 86_400_000,
    tpm: {
      ekName: random(34),
      ekCertificate: null,
      akPublic: encodePublicArea(attestationKey.area),
      akName: nameOf(attestationKey.area, hash),
    },
    enrolledAt: NOW - 86_400_000,
    revokedAt: null,
  }
  const epoch = { number: 1000, nonce, issuedAt: NOW - 30_000 }
  const held = { firstSeenAt: NOW - 300_000, firstEpoch: 999, lastEpoch: 999, contiguousTo: 0, extra: [] }
  return {
    evidence,
    device,
    known: {
      device,
      state: {
        ...initialDeviceState,
        verdict: 'affirming',
        bootCoverage: 'measured',
        lastFreshAt: NOW - 300_000,
        lastFreshEpoch: 999,
        postureDigest,
        pcrDigest: quotedStateDigest({ selection, pcrDigest: quotedDigest }, hash),
        bootDigest: new Uint8Array(sha256(quotedDigest)),
        freshSession: session.id,
        freshSequence: 0,
        tpmClock: { clockMs: 100_000n, resetCount: 2, restartCount: 1, observedAt: NOW - 300_000 },
      },
      links: {
        session: { deviceId: 1, session: session.id, ...held },
        samePlace: undefined,
        hashBefore: first.hash,
        previousOfNext: undefined,
        freshSessions: [],
        namedReceipt: undefined,
      },
      epoch,
      posture,
      pcrs,
      approved: { id: 'ref_1', posture, pcrs, bootReference: null, tpmFirmwareVersion: null, approvedAt: 0 },
      approvedThen: undefined,
      releases: undefined,
      releasesThen: undefined,
      section: () => 'missing',
      bootLog: undefined, // known logs are not replayed again
      contents: new Map(contents.map(([, content]) => [toHex(sha256(content)), null] as const)),
      imaPolicy: undefined,
      standingFindings: [],
    },
    policy: { freshnessWindowMs: 600_000, maxExtensionMs: 3_600_000, downtime: [], collectorId },
    receivedAt: NOW,
  }
}
