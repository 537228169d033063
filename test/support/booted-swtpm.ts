import { createAttestationKey, type LoadedAttestationKey } from '../../agent/tpm/attestation-key.ts'
import { extendPcr } from '../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../agent/tpm/open.ts'
import { takeQuoteWithPcrs } from '../../agent/tpm/quoting.ts'
import type { Tpm } from '../../agent/tpm/tpm.ts'
import type { QuoteFunction } from '../../agent/attest/make-evidence.ts'
import { EVENT_TYPE } from '../../shared/eventlog/constants.ts'
import type { PcrSelection } from '../../shared/tpm/pcr-selection.ts'
import type { PublicArea } from '../../shared/tpm/public.ts'
import { digestOf, type EventSpec } from './eventlog-builder.ts'
import { startSwtpm, type SoftwareTpm } from './swtpm.ts'

const SELECTION: PcrSelection = [{ bank: 'sha256', pcrs: Array.from({ length: 15 }, (_, pcr) => pcr) }]
const SEED = new Uint8Array(32).fill(7)

/** A real software TPM whose machine boots as a test wants: each event is extended into it, as firmware would. */
export class BootedSwtpm {
  readonly swtpm: SoftwareTpm
  readonly area: PublicArea

  private constructor(swtpm: SoftwareTpm, area: PublicArea) {
    this.swtpm = swtpm
    this.area = area
  }

  static async start(): Promise<BootedSwtpm> {
    const swtpm = await startSwtpm({ withEkCertificate: false, banks: ['sha256'] })
    const area = await withTpm(swtpm.tcti, async (_, key) => key.publicArea)
    return new BootedSwtpm(swtpm, area)
  }

  /** Power off and on, then what firmware, boot loader and kernel measure. */
  async boot(events: readonly EventSpec[]): Promise<void> {
    await this.swtpm.restart()
    await withTpm(this.swtpm.tcti, async (tpm) => {
      for (const event of events) {
        if (event.type === 'EV_NO_ACTION' || event.type === EVENT_TYPE.EV_NO_ACTION) continue
        const digest = event.digests?.sha256 ?? digestOf('sha256', event.hashed ?? event.data)
        await extendPcr(tpm, event.pcr, new Map([['sha256', digest]]))
      }
    })
  }

  get quote(): QuoteFunction {
    return (extraData) =>
      withTpm(this.swtpm.tcti, (tpm, key) => takeQuoteWithPcrs(tpm, key, { selection: SELECTION, extraData }))
  }

  stop(): Promise<void> {
    return this.swtpm.stop()
  }
}

async function withTpm<T>(tcti: string, action: (tpm: Tpm, key: LoadedAttestationKey) => Promise<T>): Promise<T> {
  const tpm = await openTpm(tcti)
  try {
    const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: SEED })
    const result = await action(tpm, key)
    await tpm.flush(key.handle)
    return result
  } finally {
    await tpm.close()
  }
}
