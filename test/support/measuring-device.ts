import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { afterListRequest, afterReceipt, afterRequest, type Told } from '../../agent/attest/acknowledgements.ts'
import { carryList, type CarriedList } from '../../agent/attest/carry-list.ts'
import type { EvidenceInput, MadeEvidence } from '../../agent/attest/make-evidence.ts'
import { NO_PROGRESS, type Acknowledged } from '../../agent/state/progress.ts'
import type { BatchResult } from '../../collector/ingest/process-batch.ts'
import type { Handled } from '../../collector/ingest/evidence-handler.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { partsOf } from '../../shared/evidence/section-part.ts'
import { binaryList, pcr10Of, type ImaSpec } from './ima-builder.ts'
import type { IngestingCollector } from './ingesting-collector.ts'
import type { QuotingTpm } from './quoting-tpm.ts'
import type { SoftwareDevice } from './software-device.ts'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** The boot aggregate of a kernel that starts with these PCRs. */
export function aggregateOf(tpm: QuotingTpm): ImaSpec {
  const values = Array.from({ length: 10 }, (_, pcr) => tpm.pcrs.get('sha256')?.get(pcr) ?? new Uint8Array(32))
  const digest = createHash('sha256').update(Buffer.concat(values)).digest()
  return { path: 'boot_aggregate', algorithm: 'sha256', digest }
}

/**
 * A gateway whose kernel measures files, with the part of the agent that sends what it measured: what is acknowledged
 * comes from receipts alone, and is set back by requests.
 */
export class MeasuringDevice {
  readonly device: SoftwareDevice
  readonly collector: IngestingCollector
  /** Whether the agent can read the list. */
  readable = true
  /** Entries that the kernel makes between the quote and the reading of the list. */
  afterQuote: readonly ImaSpec[] = []
  /** What the agent reads, where it is not what the kernel has. */
  lie: Uint8Array | undefined
  acknowledged: Acknowledged = NO_PROGRESS.acknowledged
  readonly contents = new Map<string, Uint8Array>()
  #told: readonly Told[] = []
  #specs: ImaSpec[] = []

  constructor(collector: IngestingCollector, device: SoftwareDevice) {
    this.collector = collector
    this.device = device
    this.#boot()
  }

  get tpm(): QuotingTpm {
    if (this.device.tpm === null) throw new Error('no TPM')
    return this.device.tpm
  }

  get specs(): readonly ImaSpec[] {
    return this.#specs
  }

  get list(): Buffer {
    return binaryList(this.#specs)
  }

  #boot(): void {
    for (const pcr of [8, 9]) this.tpm.setPcr('sha256', pcr, sha256(Uint8Array.of(pcr)))
    this.#specs = []
    this.measure(aggregateOf(this.tpm))
  }

  /** Files are opened, and the kernel measures them. */
  measure(...specs: readonly ImaSpec[]): void {
    if (specs.length === 0) return
    this.#specs.push(...specs)
    this.tpm.setPcr('sha256', 10, new Uint8Array(pcr10Of(this.#specs)))
  }

  files(...paths: readonly string[]): void {
    this.measure(...paths.map((path) => ({ path })))
  }

  reboot(): void {
    this.device.reboot()
    this.#boot()
  }

  /** The next evidence, made as the agent makes it. */
  async make(over: Partial<EvidenceInput> = {}): Promise<MadeEvidence & { readonly carried: CarriedList | null }> {
    const { device } = this
    let carried: CarriedList | null = null
    // As they are quoted: the kernel goes on to measure.
    const reported = new Map([...this.tpm.pcrs].map(([bank, values]) => [bank, new Map(values)] as const))
    const made = await device.report(
      { reported },
      {
        measurementList: async (pcrs) => {
          this.measure(...this.afterQuote)
          this.afterQuote = []
          carried = await carryList({
            pcrs,
            boot: device.bootId,
            known: this.acknowledged.list,
            read: async () => (this.readable ? (this.lie ?? new Uint8Array(this.list)) : null),
            contents: { put: async (bytes) => this.contents.set(toHex(sha256(bytes)), bytes) !== undefined },
            log: SILENT,
          })
          return carried?.suffix ?? null
        },
        ...over,
      },
    )
    const list = (carried as CarriedList | null)?.told ?? null
    const { sequence, postureDigest, pcrDigest } = made
    this.#told = [...this.#told, { session: device.session, sequence, postureDigest, pcrDigest, contents: [], list }]
    return { ...made, carried }
  }

  /** Makes evidence and sends it, with the content that it names before it; the answers arrive unless they are lost. */
  async report({
    losing = false,
    over = {},
  }: { losing?: boolean; over?: Partial<EvidenceInput> } = {}): Promise<Handled> {
    const { bytes, carried } = await this.make(over)
    if (carried !== null && carried.content !== null) await this.sendContent(carried.content)
    return this.send(bytes, losing)
  }

  async send(bytes: Uint8Array, losing = false): Promise<Handled> {
    const batch = await this.collector.receive(this.collector.message(this.device, bytes))
    if (!losing) this.hear(batch)
    const [handled] = batch.handled
    if (handled === undefined) throw new Error('nothing was decided')
    return handled
  }

  async sendContent(digest: Uint8Array): Promise<readonly Handled[]> {
    const content = this.contents.get(toHex(digest))
    if (content === undefined) throw new Error('no such content')
    const handled: Handled[] = []
    for (const part of partsOf({ digest, size: content.length }, 1, deflateRawSync(content))) {
      const message = this.collector.message(this.device, await this.device.signPart(part), 'section')
      handled.push(...(await this.collector.receive(message)).handled)
    }
    return handled
  }

  hear(batch: BatchResult): void {
    const { receipts, requests } = this.collector.answers(this.device, batch)
    for (const { sessions } of receipts) {
      const { acknowledged, waiting } = afterReceipt(this.acknowledged, this.#told, sessions)
      this.acknowledged = acknowledged
      this.#told = waiting
    }
    for (const request of requests) {
      this.acknowledged = afterRequest(this.acknowledged, request)
      this.#told = afterListRequest(this.#told, request)
    }
  }

  /** A new epoch, and a report in it. */
  async period(options: { losing?: boolean; over?: Partial<EvidenceInput> } = {}): Promise<Handled> {
    await this.collector.epoch(this.device)
    return this.report(options)
  }
}
