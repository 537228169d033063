import type { Boot, BootDifference } from '../core/types.ts'

/** The links of the chain, in the order in which they run. */
export const STAGES = ['firmware', 'secure-boot', 'boot-loader', 'kernel', 'image'] as const
export type Stage = (typeof STAGES)[number]

/** `unapproved`: nothing to compare with. `unknown`: nothing was measured of it. Neither is good. */
export type StageState = 'matches' | 'differs' | 'unapproved' | 'unknown'

export interface Link {
  readonly stage: Stage
  readonly state: StageState
  readonly events: number
  /** PCRs that were extended for it. */
  readonly pcrs: readonly number[]
  readonly differences: readonly BootDifference[]
}

const STAGE_OF_PART: Readonly<Record<string, Stage>> = {
  firmware: 'firmware',
  'option-rom': 'firmware',
  configuration: 'firmware',
  'secure-boot': 'secure-boot',
  'boot-loader': 'boot-loader',
  kernel: 'kernel',
  'initial-ram-disk': 'kernel',
  'command-line': 'kernel',
}

const STAGE_OF_CODE: Readonly<Record<string, Stage>> = {
  'boot.firmware-changed': 'firmware',
  'boot.configuration-changed': 'firmware',
  'boot.tpm-firmware-changed': 'firmware',
  'boot.secure-boot-changed': 'secure-boot',
  'boot.loader-changed': 'boot-loader',
  'boot.kernel-changed': 'kernel',
  'boot.initrd-changed': 'kernel',
  'boot.command-line-changed': 'kernel',
}

/** What the PCRs are for: PFP section 3.3.4, and for those above the Linux TPM PCR Registry of the UAPI group. */
function stageOfPcr(pcr: number): Stage {
  if (pcr <= 3 || pcr === 6) return 'firmware'
  if (pcr === 7 || pcr === 14) return 'secure-boot'
  if (pcr === 4 || pcr === 5 || pcr === 8 || pcr === 9) return 'boot-loader'
  return pcr === 11 || pcr === 12 ? 'kernel' : 'image'
}

const PCR_SUBJECT = /^pcr\/[^/]+\/(\d+)$/

function stageOfDifference({ code, subject }: BootDifference): Stage {
  const pcr = PCR_SUBJECT.exec(subject)?.[1]
  return pcr === undefined ? (STAGE_OF_CODE[code] ?? 'image') : stageOfPcr(Number(pcr))
}

export function bootChain({ events, pcrs, differences }: Boot): readonly Link[] {
  return STAGES.map((stage) => {
    const own = events.filter(({ part }) => (STAGE_OF_PART[part] ?? 'image') === stage)
    const extended = pcrs.filter(({ pcr, status }) => stageOfPcr(pcr) === stage && status !== 'untouched')
    const departed = (differences ?? []).filter((each) => stageOfDifference(each) === stage)
    return {
      stage,
      events: own.length,
      pcrs: [...new Set(extended.map(({ pcr }) => pcr))].sort((a, b) => a - b),
      differences: departed,
      state: stateOf(departed.length, own.length + extended.length, differences === null),
    }
  })
}

function stateOf(departed: number, known: number, isUnapproved: boolean): StageState {
  if (departed > 0) return 'differs'
  if (known === 0) return 'unknown'
  return isUnapproved ? 'unapproved' : 'matches'
}
