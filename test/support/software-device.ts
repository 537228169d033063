import { REPORT_INTERVAL } from '../../shared/evidence/state.ts'
import { deflateRawSync } from 'node:zlib'
import { makeEvidence, type EvidenceInput, type MadeEvidence } from '../../agent/attest/make-evidence.ts'
import type { MeasuredPosture } from '../../agent/attest/posture.ts'
import { AttestationSession } from '../../agent/attest/session.ts'
import type { Device } from '../../collector/model/device.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { coseKeyThumbprint } from '../../shared/cose/key.ts'
import type { MacKey } from '../../shared/cose/mac0.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import { equalConstantTime, hash, hmac, random, sha256 } from '../../shared/crypto/node.ts'
import type { Claims } from '../../shared/evidence/claims.ts'
import { openDownMessage, type DownMessage } from '../../shared/evidence/down.ts'
import { decodeEvidence, encodeClaims, signEvidence } from '../../shared/evidence/evidence.ts'
import { makeUeid, type Ueid } from '../../shared/evidence/identifiers.ts'
import { postureDigestOf } from '../../shared/evidence/posture-digest.ts'
import { partsOf, signSectionPart, type SectionPart } from '../../shared/evidence/section-part.ts'
import type { TpmEvidence } from '../../shared/evidence/tpm-evidence.ts'
import { encodeSection, type EncodedSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import { encodePublicArea, nameOf } from '../../shared/tpm/public.ts'
import { ed25519Signer } from './node-signer.ts'
import { agileLog, type EventSpec } from './eventlog-builder.ts'
import { QuotingTpm, type QuoteLies } from './quoting-tpm.ts'

export type Readings = { readonly [S in SectionId]?: SectionReading<S> }

const listener = (port: number, executable: string) => ({
  protocol: 'tcp' as const,
  family: 'ipv4' as const,
  scope: 'any' as const,
  address: '0.0.0.0',
  port,
  owner: 'known' as const,
  programs: [{ executable, origin: 'unknown' as const }],
})

export const socketsWith = (...ports: number[]): SectionReading<'sockets'> => ({
  status: 'measured',
  content: {
    listeners: ports.map((port) => listener(port, port === 22 ? '/usr/sbin/sshd' : '/tmp/nc')),
    tables: ['tcp', 'udp'],
    owners: 'visible',
    namespaces: 'visible',
    bindings: 'visible',
    vsock: 'visible',
    truncated: false,
    total: ports.length,
    malformed: 0,
  },
})

export const packagesWith = (...versions: string[]): SectionReading<'packages'> => ({
  status: 'measured',
  content: {
    manager: 'dpkg',
    packages: versions.map((version, index) => ({ name: `package-${index}`, version })),
    total: versions.length,
    malformed: 0,
    incomplete: false,
  },
})

export const GOOD_READINGS: Readings = {
  sockets: socketsWith(22),
  packages: packagesWith('1.0', '2.0'),
  system: { status: 'not-supported', reason: 'no-platform-facts' },
}

export interface SoftwareDeviceOptions {
  /** null: a device without a TPM. */
  readonly tpm?: QuotingTpm | null
  readonly collectorId?: Uint8Array
  readonly nonce?: Uint8Array
  readonly serial?: string
}

/**
 * A gateway with a real device key and a real attestation key, both in software, whose messages the agent's own code
 * makes. It can do what gateways do (restart, boot, drift, lose its connection) and what only false ones do.
 */
export class SoftwareDevice {
  readonly ueid: Ueid
  readonly signer: Signer
  readonly publicKey: Uint8Array
  readonly thumbprint: Uint8Array
  readonly tlsKeyHash = sha256(random(32))
  readonly collectorId: Uint8Array
  readonly serial: string
  tpm: QuotingTpm | null
  /** Newest epoch that it knows. */
  nonce: Uint8Array
  readings: Readings = GOOD_READINGS
  /** The firmware's log, as the agent reads it. */
  firmwareLog: Uint8Array | null = null
  /** Seconds between its reports, where it says so. */
  statedInterval: number | null = null
  /** False: it stops to quote. */
  quoting = true
  bootId = new Uint8Array(random(16))
  /** What the collector is known to hold: nothing yet, so everything travels. */
  acknowledged: EvidenceInput['acknowledged'] = { postureDigest: null, pcrDigest: null }
  /** SHA-256 of the newest receipt. */
  lastReceipt: Uint8Array | null = null
  #session = new AttestationSession(new Uint8Array(random(16)), null)
  #chain: Uint8Array[] = []
  #begun: Uint8Array | null = null

  constructor(options: SoftwareDeviceOptions = {}, identity?: { ueid: Ueid; signer: Signer; publicKey: Uint8Array }) {
    const { signer, x } = ed25519Signer(random(32))
    this.ueid = identity?.ueid ?? makeUeid(random(16))
    this.signer = identity?.signer ?? signer
    this.publicKey = identity?.publicKey ?? x
    this.thumbprint = coseKeyThumbprint({ curve: 'Ed25519', x: this.publicKey }, hash)
    this.tpm = options.tpm === undefined ? new QuotingTpm() : options.tpm
    this.collectorId = options.collectorId ?? new Uint8Array(16).fill(0xc0)
    this.nonce = options.nonce ?? new Uint8Array(32).fill(0xe0)
    this.serial = options.serial ?? toHex(random(4))
  }

  get session(): Uint8Array {
    return this.#session.id
  }

  get sections(): ReadonlyMap<SectionId, EncodedSection> {
    const ids = Object.keys(this.readings) as SectionId[]
    return new Map(ids.map((id) => [id, encoded(id, this.readings)]))
  }

  /** Content of every section and the log, by its digest in hexadecimal. */
  get contents(): ReadonlyMap<string, Uint8Array> {
    const contents = [...this.sections.values()].map(({ bytes }) => bytes)
    if (this.firmwareLog !== null) contents.push(this.firmwareLog)
    return new Map(contents.map((content) => [toHex(sha256(content)), content]))
  }

  get posture(): MeasuredPosture {
    const { sections } = this
    const posture = new Map([...sections].map(([id, { digest }]) => [id as string, new Uint8Array(digest)] as const))
    return {
      sections,
      posture,
      postureDigest: postureDigestOf(posture, hash),
      state: new Map(),
      measurements: new Map(),
      bootId: this.bootId,
      uptimeSeconds: 3_600,
    }
  }

  /** The next evidence. `lies`: what the quote says instead of the truth; `over`: any other input of the agent. */
  async report(lies: QuoteLies = {}, over: Partial<EvidenceInput> = {}): Promise<MadeEvidence> {
    const { tpm } = this
    const made = await makeEvidence({
      ueid: this.ueid,
      collectorId: this.collectorId,
      signer: this.signer,
      session: this.#session,
      nonce: this.nonce,
      posture: this.posture,
      state: this.statedInterval === null ? new Map() : new Map([[REPORT_INTERVAL, this.statedInterval]]),
      hardwareModel: 'GW-1',
      software: { name: 'keepseal-agent', version: '0.1.0' },
      issuedAt: 1_781_234_567,
      quote: tpm === null || !this.quoting ? null : (extraData) => tpm.quote(extraData, lies),
      firmwareLogDigest: this.firmwareLog === null ? null : new Uint8Array(sha256(this.firmwareLog)),
      acknowledged: this.acknowledged,
      ...over,
    })
    this.#session.advance(made.hash)
    this.#chain.push(made.hash)
    return made
  }

  /** The evidence with other content, signed by the device's key again: what root on the device can do. */
  async resign(
    bytes: Uint8Array,
    change: { claims?: Partial<Claims>; tpm?: (tpm: TpmEvidence) => TpmEvidence | null },
  ) {
    const { claims, claimsBytes, tpm } = decodeEvidence(bytes)
    const changed = change.claims === undefined ? claimsBytes : encodeClaims({ ...claims, ...change.claims })
    return signEvidence(
      {
        ueid: this.ueid,
        claimsBytes: changed,
        tpm: tpm === null || change.tpm === undefined ? tpm : change.tpm(tpm),
      },
      this.signer,
    )
  }

  /** What was sent last is this message: the next one follows it. */
  relink(bytes: Uint8Array): void {
    this.#chain = [...this.#chain.slice(0, -1), sha256(bytes)]
    this.#session = new AttestationSession(this.#session.id, this.#begun)
    for (const each of this.#chain) this.#session.advance(each)
  }

  /** A new run of the agent. */
  restart(): void {
    this.#begun = this.lastReceipt
    this.#session = new AttestationSession(new Uint8Array(random(16)), this.lastReceipt)
    this.#chain = []
  }

  /** Boots again: as before, or so that it measures `events` and has `log` to show for it, by default the true one. */
  reboot(events?: readonly EventSpec[], log?: Uint8Array): void {
    this.tpm?.reboot(events)
    if (events !== undefined) this.firmwareLog = log ?? agileLog(events)
    this.bootId = new Uint8Array(random(16))
    this.restart()
  }

  /** The machine as it is now: keys, running agent, virtual TPM. A restored image is a copy that was restarted. */
  copy(): SoftwareDevice {
    const copy = new SoftwareDevice(
      { tpm: this.tpm?.copy() ?? null, collectorId: this.collectorId, nonce: this.nonce, serial: this.serial },
      this,
    )
    copy.readings = this.readings
    copy.quoting = this.quoting
    copy.firmwareLog = this.firmwareLog
    copy.bootId = this.bootId
    copy.acknowledged = this.acknowledged
    copy.lastReceipt = this.lastReceipt
    copy.#begun = this.#begun
    copy.#session = new AttestationSession(this.#session.id, this.#begun)
    for (const each of this.#chain) copy.#session.advance(each)
    copy.#chain = [...this.#chain]
    return copy
  }

  /** The messages with which a section's content travels. */
  async parts(id: SectionId, options: { deflate?: boolean; partBytes?: number } = {}): Promise<Uint8Array[]> {
    return Promise.all(this.sectionParts(id, options).map((part) => this.signPart(part)))
  }

  async logParts(): Promise<Uint8Array[]> {
    const log = this.firmwareLog
    if (log === null) return []
    return Promise.all(partsOf({ digest: sha256(log), size: log.length }, 0, log).map((part) => this.signPart(part)))
  }

  sectionParts(id: SectionId, { deflate = false, partBytes }: { deflate?: boolean; partBytes?: number } = {}) {
    const { bytes, digest } = encoded(id, this.readings)
    const content = { digest, size: bytes.length }
    const travelling = deflate ? deflateRawSync(bytes) : bytes
    if (partBytes === undefined) return partsOf(content, deflate ? 1 : 0, travelling)
    const count = Math.ceil(travelling.length / partBytes)
    return Array.from({ length: count }, (_, index): SectionPart => {
      const part = travelling.subarray(index * partBytes, (index + 1) * partBytes)
      return { ...content, encoding: deflate ? 1 : 0, index, count, part }
    })
  }

  signPart(part: SectionPart): Promise<Uint8Array> {
    return signSectionPart(this.ueid, part, this.signer)
  }

  /** Reads what the collector sent, and remembers the newest receipt. */
  open(bytes: Uint8Array, secret: Uint8Array): DownMessage {
    const key: MacKey = { keyId: this.thumbprint, secret, hmac }
    const message = openDownMessage(bytes, this.ueid, key, equalConstantTime)
    if (message.role === 'receipt') this.lastReceipt = sha256(bytes)
    return message
  }

  /** As the collector knows it after its enrolment. */
  enrolled(productId: string, over: Partial<Device> = {}): Omit<Device, 'id'> {
    const area = this.tpm?.signer.area
    return {
      ueid: this.ueid,
      productId,
      vendor: 'Acme',
      model: 'GW-1',
      hardwareRevision: 'B',
      serial: this.serial,
      enrolment: 'active',
      identity: area === undefined ? 'software' : 'tpm-tofu',
      deviceKey: this.publicKey,
      deviceKeyThumbprint: this.thumbprint,
      tlsKeyHash: this.tlsKeyHash,
      certificateNotAfter: Date.UTC(2030, 1),
      tpm:
        area === undefined
          ? null
          : {
              ekName: sha256(this.publicKey),
              ekCertificate: null,
              akPublic: encodePublicArea(area),
              akName: nameOf(area, hash),
            },
      enrolledAt: Date.UTC(2026, 1),
      revokedAt: null,
      ...over,
    }
  }
}

function encoded<S extends SectionId>(id: S, readings: Readings): EncodedSection {
  const reading = readings[id]
  if (reading === undefined) throw new Error(`no reading of ${id}`)
  return encodeSection(id, reading as SectionReading<S>, hash)
}
