import { toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import type { ReplayedLog } from '../../../shared/eventlog/types.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import type { SectionContents, SectionId } from '../../../shared/posture/sections.ts'
import type { AppraisalContext, Deviation } from '../context.ts'
import { contradictions, provenFacts, type ProvenFacts } from '../contradictions.ts'
import type { AppraisalStep } from '../registry.ts'

/**
 * Rules that need no approved values. What a contradiction shows is never accepted with a section: the log is asked
 * each time. A PCR bank that firmware never extends is accepted with exactly this section of the TPM, whose content is
 * not loaded then.
 */
export const platform: AppraisalStep = {
  id: 'platform',
  title: 'What the agent asserts about the platform agrees with what is proven',
  failure: 'integrity',
  run(context) {
    const { bootLog } = context
    if (bootLog !== undefined) crossCheck(context, bootLog)
    context.deviations.push(...bankDeviations(contentOf(context, 'tpm')))
  },
}

function bankDeviations(tpm: SectionContents['tpm'] | undefined): Deviation[] {
  const never = (tpm?.banks ?? []).filter(
    ({ firmwarePcrs }) => 'value' in firmwarePcrs && firmwarePcrs.value === 'never',
  )
  return never.map(({ bank }) => ({
    code: 'boot.bank-never-extended',
    subject: `bank/${bank}`,
    before: null,
    after: 'never extended by the firmware',
  }))
}

/** What was found about one log: in steady state each evidence names the same log and the same section. */
interface Judged {
  readonly facts: ProvenFacts
  /** null: it has nothing that could be held against the log. */
  readonly sections: Map<string, readonly Deviation[] | null>
}
const judgedLogs = new WeakMap<ReplayedLog, Judged>()
/** Sections beside one log; a fleet on one release has few. */
const REMEMBERED = 16

function crossCheck(context: AppraisalContext, log: ReplayedLog): void {
  const digest = context.known.posture?.get('boot')
  if (digest === undefined) return
  const judged = judgedLogs.get(log) ?? { facts: provenFacts(log, context.hash), sections: new Map() }
  judgedLogs.set(log, judged)
  const name = toHex(digest)
  let found = judged.sections.get(name)
  if (found === undefined) {
    if (!isHere(context, digest)) return
    const content = contentOf(context, 'boot')
    found = content === undefined ? null : contradictions(judged.facts, content)
    if (judged.sections.size >= REMEMBERED) judged.sections.clear()
    judged.sections.set(name, found)
  }
  if (found === null) return
  context.crossChecked = true
  context.deviations.push(...found)
}

const isHere = ({ known }: AppraisalContext, digest: Uint8Array): boolean =>
  (known.contents.get(toHex(digest)) ?? null) !== null

/** Undefined where it is not here, was not measured or cannot be read: the comparison with approved values tells that. */
function contentOf<S extends SectionId>(
  { known }: Pick<AppraisalContext, 'known'>,
  id: S,
): SectionContents[S] | undefined {
  const digest = known.posture?.get(id)
  const bytes = digest === undefined ? undefined : known.contents.get(toHex(digest))
  if (bytes === undefined || bytes === null) return undefined
  try {
    const reading = decodeSection(id, bytes)
    return reading.status === 'measured' ? reading.content : undefined
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}
