import { toHex } from '../../../shared/bytes/bytes.ts'
import type { Appraisal } from '../../appraisal/appraise.ts'
import type { KnownDevice, KnownReleases } from '../../appraisal/context.ts'
import { Recent } from '../../recent.ts'

/**
 * What the appraisal of a healthy device rests on that is the same for all devices in the same state: posture, PCR
 * values, what they are held against, and which content is here. Each part is named by its digest or its id, and what is
 * behind such a name never changes.
 */
export type SharedKnowledge = Pick<
  KnownDevice,
  | 'posture'
  | 'pcrs'
  | 'approved'
  | 'approvedThen'
  | 'releases'
  | 'releasesThen'
  | 'section'
  | 'contents'
  | 'bootLog'
  | 'imaPolicy'
  | 'standingFindings'
>

export interface KnowledgeName {
  readonly vendor: string
  readonly productId: string
  readonly postureDigest: Uint8Array
  readonly pcrDigest: Uint8Array | null
  readonly firmwareLog: Uint8Array | null
  /** Id of the reference values; null where releases judge, or nothing is approved. */
  readonly reference: string | null
  readonly releases: KnownReleases | undefined
  readonly releasesThen: KnownReleases | undefined
}

const hex = (digest: Uint8Array | null): string => (digest === null ? '-' : toHex(digest))

const textOf = (name: KnowledgeName): string =>
  [
    hex(name.postureDigest),
    hex(name.pcrDigest),
    hex(name.firmwareLog),
    name.reference ?? '-',
    name.releases?.key ?? '-',
    name.releasesThen?.key ?? '-',
    name.productId,
    name.vendor,
  ].join(' ')

const CAPACITY = 4096
const MAX_CONTENT_BYTES = 64 * 1024 * 1024

const sizeOf = ({ contents }: SharedKnowledge): number =>
  [...contents.values()].reduce((sum, content) => sum + (content?.length ?? 0), 0)

/** Knowledge of which a device was found healthy, and which was stored when it was. */
export class SharedKnowledgeCache {
  readonly #recent = new Recent<SharedKnowledge>(CAPACITY, { of: sizeOf, max: MAX_CONTENT_BYTES })

  find(name: KnowledgeName): SharedKnowledge | undefined {
    const held = this.#recent.get(textOf(name))
    // What was found by the same releases is kept with them, and goes with them.
    return held?.releases === name.releases && held?.releasesThen === name.releasesThen ? held : undefined
  }

  /** To be called only after what was read is known to be stored for good. */
  learn(known: KnownDevice, appraisal: Appraisal): void {
    const { device, posture, pcrs, approved, approvedThen, releases, releasesThen, contents, bootLog } = known
    const { missing, pcrDigest, evidence, verdict, deviations, pcrs: quoted } = appraisal
    const lacks = missing.posture || missing.pcrs || missing.contents.length > 0 || missing.ima !== null
    if (verdict !== 'affirming' || deviations.length > 0 || lacks || posture === undefined) return
    if (bootLog === 'missing' || approvedThen !== undefined || evidence.tpm?.logs.ima != null) return
    const name: KnowledgeName = {
      vendor: device.vendor,
      productId: device.productId,
      postureDigest: evidence.claims.postureDigest,
      pcrDigest,
      firmwareLog: evidence.tpm?.logs.firmware ?? null,
      reference: approved?.id ?? null,
      releases,
      releasesThen,
    }
    this.#recent.keep(textOf(name), {
      posture,
      // A report that brings its values proves them; the next one names them.
      pcrs: pcrs ?? quoted ?? undefined,
      approved,
      approvedThen,
      releases,
      releasesThen,
      section: known.section,
      contents,
      bootLog,
      imaPolicy: undefined,
      standingFindings: [],
    })
  }
}
