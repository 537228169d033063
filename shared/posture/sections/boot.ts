import * as v from 'valibot'
import { describe, observation, type Observation } from '../observation.ts'
import { keyOf, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { text } from '../text.ts'

/** The modes of kernel_lockdown(7). */
export const LOCKDOWN_MODES = ['none', 'integrity', 'confidentiality'] as const

const tpmSchema = v.strictObject({
  name: text(64),
  /** Major version of the TPM family, 1 or 2, as the kernel found it. */
  major: observation(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
})

/** Of the device mapper. A dm-verity mapping is checked by its root hash, LUKS is encrypted (cryptsetup(8)). */
export const MAPPING_KINDS = ['verity', 'luks1', 'luks2'] as const

const mappingSchema = v.strictObject({
  kind: observation(v.picklist(MAPPING_KINDS)),
  /** Without the unit's own part, as in `luks-<unit>`. */
  name: observation(text(256)),
})

const vulnerabilitySchema = v.strictObject({ name: text(64), mitigation: observation(text(256)) })
const parameterSchema = v.strictObject({ name: text(64), value: text(512) })

export const MAX_VULNERABILITIES = 64
export const MAX_MAPPINGS = 64
export const MAX_VERITY_PARAMETERS = 32

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
  /** With a unit's own identifiers masked: see maskUnitValues (../command-line.ts). */
  commandLine: observation(text(4096)),
  /** The parameters of the command line that name root hashes. */
  verity: observation(v.pipe(v.array(parameterSchema), v.maxLength(MAX_VERITY_PARAMETERS))),
  lockdown: observation(v.picklist(LOCKDOWN_MODES)),
  /** Whether the kernel shows an IMA measurement list. */
  ima: observation(v.boolean()),
  tpms: observation(v.pipe(v.array(tpmSchema), v.maxLength(16))),
  /** module.sig_enforce: whether the kernel refuses modules without a valid signature. */
  moduleSignatures: observation(v.boolean()),
  kexec: v.strictObject({
    /** kernel.kexec_load_disabled: no other kernel can be loaded until the next boot. */
    loadDisabled: observation(v.boolean()),
    /** Another kernel waits to be started past firmware and boot loader. */
    loaded: observation(v.boolean()),
  }),
  /** Whether devices are kept from memory that is not theirs. */
  iommu: observation(v.boolean()),
  /** What the kernel says about each weakness of the processor that it knows. */
  vulnerabilities: observation(v.pipe(v.array(vulnerabilitySchema), v.maxLength(MAX_VULNERABILITIES))),
  mappings: observation(v.pipe(v.array(mappingSchema), v.maxLength(MAX_MAPPINGS))),
  /** fs.verity.require_signatures: whether a file with fs-verity needs a signature that the kernel knows. */
  fsVeritySignatures: observation(v.boolean()),
})

export type BootContent = v.InferOutput<typeof schema>
type Tpm = v.InferOutput<typeof tpmSchema>
export type Mapping = v.InferOutput<typeof mappingSchema>

const tpmKey = (tpm: Tpm): string => keyOf(tpm.name, describe(tpm.major))
const mappingKey = ({ kind, name }: Mapping): string => keyOf(describe(kind), describe(name))

function sorted<T>(list: Observation<T[]>, key: (entry: T) => string): Observation<T[]> {
  return 'missing' in list ? list : { value: sortedUnique(list.value, key) }
}

/** One fact for the list itself, so that an empty one differs from one that could not be read, and one for each entry. */
function listed<T>(subject: string, list: Observation<T[]>, fact: (entry: T) => Fact): readonly Fact[] {
  if ('missing' in list) return [{ subject, value: describe(list) }]
  return [{ subject, value: 'known' }, ...list.value.map((entry) => fact(entry))]
}

export const boot: SectionDefinition<BootContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    verity: sorted(content.verity, ({ name, value }) => keyOf(name, value)),
    tpms: sorted(content.tpms, tpmKey),
    vulnerabilities: sorted(content.vulnerabilities, ({ name }) => name),
    mappings: sorted(content.mappings, mappingKey),
  }),
  facts: (content) => [
    { subject: 'firmware.vendor', value: describe(content.firmware.vendor) },
    { subject: 'firmware.version', value: describe(content.firmware.version) },
    { subject: 'firmware.date', value: describe(content.firmware.date) },
    { subject: 'device-tree.model', value: describe(content.deviceTreeModel) },
    { subject: 'secure-boot', value: describe(content.secureBoot) },
    { subject: 'setup-mode', value: describe(content.setupMode) },
    { subject: 'command-line', value: describe(content.commandLine) },
    ...listed('verity', content.verity, ({ name, value }) => ({
      subject: `verity.${name}`,
      value: JSON.stringify(value),
    })),
    { subject: 'lockdown', value: describe(content.lockdown) },
    { subject: 'ima', value: describe(content.ima) },
    {
      subject: 'tpms',
      value: describe(content.tpms, (tpms) =>
        tpms.map((tpm) => `${JSON.stringify(tpm.name)} version ${describe(tpm.major)}`).join(', '),
      ),
    },
    { subject: 'module-signatures', value: describe(content.moduleSignatures) },
    { subject: 'kexec.load-disabled', value: describe(content.kexec.loadDisabled) },
    { subject: 'kexec.loaded', value: describe(content.kexec.loaded) },
    { subject: 'iommu', value: describe(content.iommu) },
    ...listed('vulnerabilities', content.vulnerabilities, ({ name, mitigation }) => ({
      subject: `vulnerability.${name}`,
      value: describe(mitigation),
    })),
    ...listed('mappings', content.mappings, ({ name, kind }) => ({
      subject: `mapping.${describe(name)}`,
      value: describe(kind),
    })),
    { subject: 'fs-verity.signatures', value: describe(content.fsVeritySignatures) },
  ],
}
