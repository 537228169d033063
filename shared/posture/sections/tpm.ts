import * as v from 'valibot'
import { describe, observation } from '../observation.ts'
import { sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

/** How far PCRs 0 to 7, which belong to the firmware, were extended in one bank. */
export const FIRMWARE_PCRS = ['extended', 'partly', 'never'] as const

/** TPMA_PERMANENT, TPM 2.0 Part 2 section 8.6: what holds until somebody changes it. */
const permanentSchema = v.strictObject({
  /** Whether a hierarchy has a password. One without is open to whoever reaches the TPM. */
  ownerAuthSet: v.boolean(),
  endorsementAuthSet: v.boolean(),
  lockoutAuthSet: v.boolean(),
  /** TPM2_Clear is refused. */
  disableClear: v.boolean(),
  /** Too many failed authorizations: passwords are refused for a time. */
  inLockout: v.boolean(),
})

/** TPMA_STARTUP_CLEAR, Part 2 section 8.7: hierarchies that are enabled since the start. */
const startupSchema = v.strictObject({
  phEnable: v.boolean(),
  shEnable: v.boolean(),
  ehEnable: v.boolean(),
  phEnableNV: v.boolean(),
})

/** TPM_PT_MAX_AUTH_FAIL and the two after it, Part 2 section 6.13. */
const lockoutSchema = v.strictObject({ maxAuthFail: count, intervalSeconds: count, recoverySeconds: count })

const bankSchema = v.strictObject({
  /** A name of the TCG Algorithm Registry, as `sha256`. */
  bank: text(16),
  firmwarePcrs: observation(v.picklist(FIRMWARE_PCRS)),
})

const schema = v.strictObject({
  /** TPM_PT_FAMILY_INDICATOR, as `2.0`. */
  family: observation(text(4)),
  /** TPM_PT_REVISION: the revision of the specification times 100. */
  revision: observation(count),
  /** Characters of the TCG Vendor ID Registry, as `IFX`. */
  manufacturer: observation(text(4)),
  /** The vendor's own words. */
  model: observation(text(16)),
  /** TPM_PT_FIRMWARE_VERSION_1 and _2 as four numbers. */
  firmware: observation(text(24)),
  permanent: observation(permanentSchema),
  startup: observation(startupSchema),
  lockout: observation(lockoutSchema),
  /** Banks that have PCRs at all: TPM_CAP_PCRS. */
  banks: v.pipe(v.array(bankSchema), v.maxLength(16)),
})

export type TpmContent = v.InferOutput<typeof schema>

/** Each flag by its name, or the one reason why none is known. */
function flags<T extends Readonly<Record<string, boolean | number>>>(
  subject: string,
  group: Parameters<typeof describe<T>>[0],
) {
  if ('missing' in group) return [{ subject, value: describe(group) }]
  return [
    { subject, value: 'known' },
    ...Object.entries(group.value).map(([name, value]) => ({ subject: `${subject}.${name}`, value: String(value) })),
  ]
}

export const tpm: SectionDefinition<TpmContent> = {
  schema,
  canonical: (content) => ({ ...content, banks: sortedUnique(content.banks, ({ bank }) => bank) }),
  facts: (content) => [
    { subject: 'family', value: describe(content.family) },
    { subject: 'revision', value: describe(content.revision) },
    { subject: 'manufacturer', value: describe(content.manufacturer) },
    { subject: 'model', value: describe(content.model) },
    { subject: 'firmware', value: describe(content.firmware) },
    ...flags('permanent', content.permanent),
    ...flags('startup', content.startup),
    ...flags('lockout', content.lockout),
    ...content.banks.map(({ bank, firmwarePcrs }) => ({ subject: `bank/${bank}`, value: describe(firmwarePcrs) })),
  ],
}
