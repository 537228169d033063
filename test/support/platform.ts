import type { SectionReading } from '../../shared/posture/reading.ts'
import type { BootContent } from '../../shared/posture/sections/boot.ts'
import type { TpmContent } from '../../shared/posture/sections/tpm.ts'

const absent = { missing: 'absent' } as const

/** A boot section that asserts what a test is about, and of everything else that it is absent. */
export const bootWith = (over: Partial<BootContent>): SectionReading<'boot'> => ({
  status: 'measured',
  content: {
    firmware: { vendor: absent, version: absent, date: absent },
    deviceTreeModel: absent,
    secureBoot: absent,
    setupMode: absent,
    commandLine: absent,
    verity: absent,
    lockdown: absent,
    ima: absent,
    tpms: absent,
    moduleSignatures: absent,
    kexec: { loadDisabled: absent, loaded: absent },
    iommu: absent,
    vulnerabilities: absent,
    mappings: absent,
    fsVeritySignatures: absent,
    ...over,
  },
})

type Bank = TpmContent['banks'][number]

/** The section of a TPM with these banks, by how far the firmware extended each. */
export const tpmWith = (
  banks: Readonly<Record<string, Bank['firmwarePcrs']>>,
  over: Partial<TpmContent> = {},
): SectionReading<'tpm'> => ({
  status: 'measured',
  content: {
    family: { value: '2.0' },
    revision: { value: 138 },
    manufacturer: { value: 'IFX' },
    model: { value: 'SLB9670' },
    firmware: { value: '7.85.4555.0' },
    permanent: absent,
    startup: absent,
    lockout: absent,
    banks: Object.entries(banks).map(([bank, firmwarePcrs]) => ({ bank, firmwarePcrs })),
    ...over,
  },
})
