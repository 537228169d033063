import { appraise, type Appraisal, type Decision } from '../../collector/appraisal/appraise.ts'
import { BootLog } from '../../collector/appraisal/boot-log.ts'
import type {
  AppraisalContext,
  ApprovedValues,
  Deviation,
  KnownDevice,
  KnownLinks,
} from '../../collector/appraisal/context.ts'
import { initialDeviceState, type Device, type DeviceState } from '../../collector/model/device.ts'
import type { Epoch } from '../../collector/model/evidence.ts'
import { ed25519Key, hash, sha256 } from '../../shared/crypto/node.ts'
import type { PostureMap } from '../../shared/evidence/claims.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { decodeEvidence, type UnverifiedEvidence } from '../../shared/evidence/evidence.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { ImaPolicy } from '../../shared/ima/policy.ts'
import type { AttestationKey } from '../../shared/tpm/attestation-key.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import type { SoftwareDevice } from './software-device.ts'

export const ARRIVAL = Date.UTC(2026, 5, 1, 12)
export const WINDOW_MS = 600_000

/** What the collector knows; whatever is left out is as after an approval of exactly what the device reports. */
export interface Knowledge {
  readonly topicUeid?: Ueid
  readonly receivedAt?: number
  readonly device?: Partial<Device>
  readonly attestationKey?: AttestationKey | null
  readonly state?: Partial<DeviceState>
  readonly links?: Partial<KnownLinks>
  readonly epoch?: Epoch | undefined
  readonly posture?: PostureMap
  readonly pcrs?: PcrValues
  readonly approved?: ApprovedValues | undefined
  readonly releases?: KnownDevice['releases']
  readonly bootLog?: KnownDevice['bootLog']
  readonly contents?: ReadonlyMap<string, Uint8Array | null>
  readonly imaPolicy?: ImaPolicy
  readonly standingFindings?: readonly Deviation[]
}

export const epochOf = (device: SoftwareDevice, number = 100): Epoch => ({
  number,
  nonce: device.nonce,
  issuedAt: ARRIVAL - 60_000,
})

/** Approved: what the device reports at this moment. */
export const approvalOf = (device: SoftwareDevice): ApprovedValues => ({
  id: 'ref_1',
  approvedAt: 0,
  bootReference: null,
  tpmFirmwareVersion: null,
  posture: device.posture.posture,
  pcrs: device.tpm === null ? null : new Map([...device.tpm.pcrs].map(([bank, values]) => [bank, new Map(values)])),
})

/** The log that an evidence names, out of contents in the way of the store. */
function bootLogOf(
  { tpm }: UnverifiedEvidence,
  contents: ReadonlyMap<string, Uint8Array | null>,
): KnownDevice['bootLog'] {
  const digest = tpm?.logs.firmware ?? null
  if (digest === null) return undefined
  const content = contents.get(toHex(digest))
  return content === undefined || content === null ? 'missing' : new BootLog(content, hash)
}

export function appraisalInput(
  device: SoftwareDevice,
  bytes: Uint8Array,
  knowledge: Knowledge = {},
): ConstructorParameters<typeof AppraisalContext>[0] {
  const unverified = decodeEvidence(bytes)
  const known: KnownDevice = {
    device: { ...device.enrolled('prd_1'), id: 1, ...knowledge.device },
    deviceKey: { key: ed25519Key(device.publicKey), thumbprint: device.thumbprint },
    attestationKey:
      knowledge.attestationKey === undefined ? (device.tpm?.signer.attestationKey ?? null) : knowledge.attestationKey,
    state: { ...initialDeviceState, ...knowledge.state },
    links: {
      session: undefined,
      samePlace: undefined,
      hashBefore: undefined,
      previousOfNext: undefined,
      freshSessions: [],
      namedReceipt: undefined,
      ...knowledge.links,
    },
    epoch: 'epoch' in knowledge ? knowledge.epoch : epochOf(device),
    posture: unverified.claims.posture ?? knowledge.posture,
    pcrs: unverified.tpm?.pcrs === null ? knowledge.pcrs : undefined,
    approvedThen: undefined,
    approved: 'approved' in knowledge ? knowledge.approved : approvalOf(device),
    releases: knowledge.releases,
    releasesThen: knowledge.releases,
    section: () => 'missing',
    bootLog: 'bootLog' in knowledge ? knowledge.bootLog : bootLogOf(unverified, knowledge.contents ?? device.contents),
    contents: knowledge.contents ?? device.contents,
    imaPolicy: knowledge.imaPolicy,
    standingFindings: knowledge.standingFindings ?? [],
  }
  return {
    topicUeid: knowledge.topicUeid ?? device.ueid,
    unverified,
    hashOfMessage: sha256(bytes),
    known,
    policy: { freshnessWindowMs: WINDOW_MS, maxExtensionMs: 3_600_000, downtime: [], collectorId: device.collectorId },
    receivedAt: knowledge.receivedAt ?? ARRIVAL,
    hash,
  }
}

export const decide = (device: SoftwareDevice, bytes: Uint8Array, knowledge?: Knowledge): Decision =>
  appraise(appraisalInput(device, bytes, knowledge))

/** The appraisal of a message that is not refused. */
export function appraisalOf(device: SoftwareDevice, bytes: Uint8Array, knowledge?: Knowledge): Appraisal {
  const decision = decide(device, bytes, knowledge)
  if (decision.kind !== 'appraised') throw new Error(`not appraised: ${JSON.stringify(decision)}`)
  return decision
}

/** Code of the refusal, or what else the decision was. */
export function refusalOf(device: SoftwareDevice, bytes: Uint8Array, knowledge?: Knowledge): string {
  const decision = decide(device, bytes, knowledge)
  return decision.kind === 'refused' ? decision.code : decision.kind
}

export const deviationsOf = (appraisal: Pick<Appraisal, 'deviations'>): string[] =>
  appraisal.deviations.map(({ code, subject }) => `${code} ${subject}`)
