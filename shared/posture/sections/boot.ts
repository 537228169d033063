import * as v from 'valibot'
import { describe, observation } from '../observation.ts'
import { keyOf, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { text } from '../text.ts'

/** The modes of kernel_lockdown(7). */
export const LOCKDOWN_MODES = ['none', 'integrity', 'confidentiality'] as const

const tpmSchema = v.strictObject({
  name: text(64),
  /** Major version of the TPM family, 1 or 2, as the kernel found it. */
  major: observation(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
})

const schema = v.strictObject({
  /** What the operating system was told about its platform. No proof: the quote and its event log are. */
  firmware: v.strictObject({
    vendor: observation(text(256)),
    version: observation(text(256)),
    date: observation(text(64)),
  }),
  deviceTreeModel: observation(text(256)),
  /** UEFI 2.10 section 3.3, variables SecureBoot and SetupMode as the running system sees them. */
  secureBoot: observation(v.boolean()),
  setupMode: observation(v.boolean()),
  commandLine: observation(text(4096)),
  lockdown: observation(v.picklist(LOCKDOWN_MODES)),
  /** Whether the kernel shows an IMA measurement list. */
  ima: observation(v.boolean()),
  tpms: observation(v.pipe(v.array(tpmSchema), v.maxLength(16))),
})

export type BootContent = v.InferOutput<typeof schema>
type Tpm = v.InferOutput<typeof tpmSchema>

const tpmKey = (tpm: Tpm): string => keyOf(tpm.name, describe(tpm.major))

export const boot: SectionDefinition<BootContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    tpms: 'missing' in content.tpms ? content.tpms : { value: sortedUnique(content.tpms.value, tpmKey) },
  }),
  facts: (content) => [
    { subject: 'firmware.vendor', value: describe(content.firmware.vendor) },
    { subject: 'firmware.version', value: describe(content.firmware.version) },
    { subject: 'firmware.date', value: describe(content.firmware.date) },
    { subject: 'device-tree.model', value: describe(content.deviceTreeModel) },
    { subject: 'secure-boot', value: describe(content.secureBoot) },
    { subject: 'setup-mode', value: describe(content.setupMode) },
    { subject: 'command-line', value: describe(content.commandLine) },
    { subject: 'lockdown', value: describe(content.lockdown) },
    { subject: 'ima', value: describe(content.ima) },
    {
      subject: 'tpms',
      value: describe(content.tpms, (tpms) =>
        tpms.map((tpm) => `${JSON.stringify(tpm.name)} version ${describe(tpm.major)}`).join(', '),
      ),
    },
  ],
}
