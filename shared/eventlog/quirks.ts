/**
 * Where real machines depart from the profile in ways that a replay must know. Each entry can only add a way to reach
 * a quoted value, never a fact: whatever it lets through has the digest chain of the TPM behind it.
 */

/**
 * Values of PCR 0 before its first event, PFP section 10.4.5.3: the locality of TPM2_Startup, or 4 after a hardware
 * root of trust has measured (TPM 2.0 Part 1, section 34.3). The event that tells is optional, and some logs lack it,
 * so all three are tried, the claimed one first.
 */
export const STARTUP_LOCALITIES: readonly number[] = [0, 3, 4]

/** Measurements of fixed text that reach a PCR after the firmware's log was closed or copied. */
export interface LateMeasurements {
  readonly id: string
  readonly pcrs: readonly number[]
  /**
   * In the order in which they occur. Each step may be missing; the words of one step come together. A word stands for
   * its digest, without terminator. The search for what was measured tries all choices: 2 to the number of steps.
   */
  readonly steps: readonly (readonly string[])[]
}

const each = (...words: readonly string[]): readonly (readonly string[])[] => words.map((word) => [word])

/** systemd-pcrosseparator.service closes what firmware and boot loader measure against the running system. */
const OS_SEPARATOR = 'os-separator'

/** systemd.io/TPM2_PCR_MEASUREMENTS, systemd-pcrphase.service(8). */
const INITRD_PHASES = ['enter-initrd', 'nvpcr-separator', 'leave-initrd']
const USERSPACE_PHASES = ['sysinit', 'ready', 'shutdown', 'final']

export const LATE_MEASUREMENTS: readonly LateMeasurements[] = [
  { id: 'systemd-boot-phases', pcrs: [11], steps: each(...INITRD_PHASES, ...USERSPACE_PHASES) },
  // A soft reboot ends user space and starts it again on the running kernel.
  {
    id: 'systemd-soft-reboot',
    pcrs: [11],
    steps: [...each(...INITRD_PHASES), USERSPACE_PHASES, ...each(...USERSPACE_PHASES)],
  },
  { id: 'systemd-os-separator', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14], steps: each(OS_SEPARATOR) },
  { id: 'systemd-nv-pcr-separator', pcrs: [9], steps: each('nvpcr-separator', OS_SEPARATOR) },
  { id: 'systemd-os-separator-before-nv-pcr', pcrs: [9], steps: each(OS_SEPARATOR, 'nvpcr-separator') },
  // Firmware that hands out its log before it measures the end of boot services (PFP section 10.4.4).
  {
    id: 'exit-boot-services-not-logged',
    pcrs: [5],
    steps: each(
      'Exit Boot Services Invocation',
      'Exit Boot Services Returned with Failure',
      'Exit Boot Services Invocation',
      'Exit Boot Services Returned with Success',
      OS_SEPARATOR,
    ),
  },
]

export const lateMeasurementsOf = (pcr: number): readonly LateMeasurements[] =>
  LATE_MEASUREMENTS.filter(({ pcrs }) => pcrs.includes(pcr))
