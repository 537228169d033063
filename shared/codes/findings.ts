import type { CodeEntry } from './registry.ts'

/** Whether a finding latches (integrity), follows the measured state (posture), or speaks of reporting itself. */
export type FindingAxis = 'integrity' | 'posture' | 'reporting'
export type Severity = 'critical' | 'high' | 'medium' | 'low'

/** `trigger` is the reassessment trigger of the practice model (T1..T19) that a finding of this code belongs to. */
export interface FindingEntry extends CodeEntry {
  readonly axis: FindingAxis
  readonly severity: Severity
  readonly trigger: `T${number}`
}

const EXAMINE = 'Treat the gateway as possibly compromised; examine it, then: keepseal device approve UEID'
const APPROVE = 'Undo the change on the gateway, or accept it: keepseal device approve UEID'

const table = {
  'boot.pcr-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'a boot measurement is not the approved one',
    remedy: EXAMINE,
  },
  'boot.firmware-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'firmware or an option ROM is not the approved one',
    remedy: EXAMINE,
  },
  'boot.configuration-changed': {
    axis: 'integrity',
    severity: 'high',
    trigger: 'T1',
    title: 'a setting that the firmware measured is not the approved one',
    remedy: EXAMINE,
  },
  'boot.secure-boot-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'Secure Boot, its keys or what they allowed are not as approved',
    remedy: EXAMINE,
  },
  'boot.loader-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'a boot loader, its files or its commands are not the approved ones',
    remedy: EXAMINE,
  },
  'boot.kernel-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the kernel image is not the approved one',
    remedy: EXAMINE,
  },
  'boot.initrd-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the initial RAM disk is not the approved one',
    remedy: EXAMINE,
  },
  'boot.command-line-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the measured kernel command line or configuration is not the approved one',
    remedy: EXAMINE,
  },
  'boot.event-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the boot measured something that was not approved',
    remedy: EXAMINE,
  },
  'boot.bank-changed': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the quote is over another PCR bank than the approved one',
    remedy: EXAMINE,
  },
  'boot.tpm-firmware-changed': {
    axis: 'integrity',
    severity: 'high',
    trigger: 'T2',
    title: 'the firmware of the TPM is not the approved one',
    remedy: 'Expected after a firmware update of the TPM; otherwise examine the gateway. keepseal device approve UEID',
  },
  'boot.quote-refused': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the TPM quote of a TPM-identified gateway is missing or invalid',
    remedy: EXAMINE,
  },
  'boot.log-refused': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the boot log does not explain the quoted measurements',
    remedy: EXAMINE,
  },
  'boot.ima-refused': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the measurement list of the kernel does not explain the quoted PCR 10, or belongs to another boot',
    remedy: EXAMINE,
  },
  'boot.list-missing': {
    axis: 'reporting',
    severity: 'high',
    trigger: 'T14',
    title: 'the gateway does not send its measurement list any more',
    remedy: 'keepseal-agent doctor on the gateway tells why. To do without the list: keepseal device approve UEID',
  },
  'boot.fact-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T11',
    title: 'a platform fact that the agent reports has changed',
    remedy: APPROVE,
  },
  'boot.fact-contradicted': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the agent reports a fact of the boot that the quoted boot log disproves',
    remedy: 'The agent is made to lie, or a kernel was started past the measured boot (kexec): examine the gateway.',
  },
  'boot.bank-never-extended': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T1',
    title: 'software can bring an active PCR bank to any state, because the firmware never extends it',
    remedy: 'Switch the bank off in the firmware setup (PCR allocation), or accept it: keepseal device approve UEID',
  },
  'tpm.attribute-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T11',
    title: 'an attribute of the TPM that the agent reports has changed',
    remedy: APPROVE,
  },
  'ima.violation': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T1',
    title: 'a file changed while the kernel measured it',
    remedy: 'Find out what wrote to the file; if that is normal, leave such files out of the IMA policy of the device.',
  },
  'ima.file-unknown': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T2',
    title: 'a measured file is not in the policy',
    remedy: 'Find out where the file comes from; if it belongs to the product, add it: keepseal product ima-policy',
  },
  'ima.digest-mismatch': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'a measured file is not the one that the policy knows',
    remedy: EXAMINE,
  },
  'ima.signature-invalid': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T1',
    title: 'the signature of a measured file does not verify',
    remedy: EXAMINE,
  },
  'identity.clone': {
    axis: 'integrity',
    severity: 'critical',
    trigger: 'T15',
    title: 'two agents report with one identity',
    remedy: 'Revoke the device, find the copy, and enrol both anew.',
  },
  'identity.tpm-cleared': {
    axis: 'integrity',
    severity: 'high',
    trigger: 'T15',
    title: 'the TPM was cleared: its counters went back',
    remedy: EXAMINE,
  },
  'reporting.tpm-clock-implausible': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: "the TPM's clock advanced faster than time went by",
    remedy: 'Expected after somebody set the clock of the TPM forward; otherwise examine the gateway.',
  },
  'reporting.rollback': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: "the agent's state was set back to an earlier one",
    remedy: 'Expected after restoring an image; otherwise examine the gateway.',
  },
  'reporting.loss': {
    axis: 'reporting',
    severity: 'low',
    trigger: 'T14',
    title: 'the agent had to drop evidence that it could not deliver',
    remedy: 'Look at the connection, or enlarge the outbox.',
  },
  'reporting.section-status-changed': {
    axis: 'reporting',
    severity: 'medium',
    trigger: 'T14',
    title: 'whether a part of the posture can be measured has changed',
    remedy: 'keepseal-agent doctor on the gateway tells why.',
  },
  'sockets.listener-added': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'a listening socket that was not approved',
    remedy: APPROVE,
  },
  'sockets.listener-removed': {
    axis: 'posture',
    severity: 'low',
    trigger: 'T3',
    title: 'an approved listening socket is gone',
    remedy: APPROVE,
  },
  'sockets.listener-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T3',
    title: 'a listening socket belongs to another program',
    remedy: APPROVE,
  },
  'packages.added': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T2',
    title: 'a package that was not approved',
    remedy: APPROVE,
  },
  'packages.removed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T2',
    title: 'an approved package is gone',
    remedy: APPROVE,
  },
  'packages.changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T2',
    title: 'a package has another version than approved',
    remedy: APPROVE,
  },
  'system.changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T2',
    title: 'the operating system differs from the approved one',
    remedy: APPROVE,
  },
  'update-channel.source-added': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T6',
    title: 'an update source that was not approved',
    remedy: APPROVE,
  },
  'update-channel.source-removed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T6',
    title: 'an approved update source is gone',
    remedy: APPROVE,
  },
  'update-channel.source-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T6',
    title: 'an update source differs from the approved one',
    remedy: APPROVE,
  },
  'update-channel.unsigned-source': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T6',
    title: 'updates are taken from a source without a valid signature',
    remedy:
      'Remove the source, or what switches its signatures off (trusted=yes, gpgcheck=0, gpg-verify=false, a missing ' +
      'key), on the gateway. Accept it only if nobody else can write there: keepseal device approve UEID',
  },
  'update-channel.checks-disabled': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T6',
    title: 'a setting switches checks of updates off',
    remedy: 'Remove the setting on the gateway, or accept it: keepseal device approve UEID',
  },
  'update-channel.setting-changed': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T6',
    title: 'a setting of the update channel differs from the approved one',
    remedy: APPROVE,
  },
  'update-channel.key-changed': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T6',
    title: 'the keys that may sign updates are not the approved ones',
    remedy:
      "Compare the fingerprint with the vendor's; restore the keyring, or accept it: keepseal device approve UEID",
  },
  'update-channel.key-expiring': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T6',
    title: 'the last key that may sign updates of a source expires within 30 days',
    remedy: "Install the vendor's next signing key on the gateway before that day.",
  },
  'update-channel.key-expired': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T6',
    title: 'the last key that may sign updates of a source has expired: no update is accepted from it',
    remedy: "Install the vendor's new signing key on the gateway, and look whether its updates arrive again.",
  },
  'update-channel.automatic-updates-off': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T6',
    title: 'automatic updates are switched off, or a part of them is',
    remedy:
      'Start them again on the gateway (apt: unattended-upgrades, its two timers and APT::Periodic), or accept it: ' +
      'keepseal device approve UEID',
  },
  'update-channel.automatic-updates-changed': {
    axis: 'posture',
    severity: 'low',
    trigger: 'T6',
    title: 'automatic updates run on another schedule or for other origins than approved',
    remedy: APPROVE,
  },
  'update-channel.not-readable': {
    axis: 'posture',
    severity: 'medium',
    trigger: 'T6',
    title: 'a part of the update configuration could not be read',
    remedy: 'Repair the file, or make it readable for the agent: keepseal-agent once --print --json shows which.',
  },
} as const satisfies Record<string, FindingEntry>

export type FindingCode = keyof typeof table

export const findings: Readonly<Record<FindingCode, FindingEntry>> = table
