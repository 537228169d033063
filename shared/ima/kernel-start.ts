import { utf8 } from '../bytes/bytes.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { initialPcr, PcrRegister } from '../eventlog/replay.ts'
import type { ReplayedLog } from '../eventlog/types.ts'
import type { PcrValues } from '../tpm/pcr-selection.ts'

/** Words that some firmware measures behind the end of its log, before the kernel starts: PFP section 10.4.4. */
const isOfFirmware = (word: string): boolean => word.startsWith('Exit Boot Services')

/**
 * The PCRs as they were when the kernel started, which its boot aggregate is over: the quoted values, and where words
 * of user space were measured later, what the boot log replays to before them.
 */
export function pcrsAtKernelStart(quoted: PcrValues, log: ReplayedLog | undefined, hash: HashFunction): PcrValues {
  const values = log === undefined ? undefined : quoted.get(log.bank)
  if (log === undefined || values === undefined) return quoted
  const earlier = new Map(values)
  for (const [pcr, known] of log.pcrs) {
    if (known.status !== 'replayed' || known.late.length === 0) continue
    const register = new PcrRegister(log.bank, initialPcr(log.bank, pcr, log.startupLocality), hash)
    for (const event of log.events) if (event.pcr === pcr) register.extend(event.digest)
    for (const word of known.late.filter(isOfFirmware)) register.extend(hash(log.bank, utf8(word)))
    earlier.set(pcr, register.value())
  }
  return new Map([...quoted, [log.bank, earlier]])
}
