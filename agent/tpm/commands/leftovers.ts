import { TpmCommandError } from '../command-error.ts'
import { ESAPI, UNAUTHORIZED } from '../esapi.ts'
import type { Tpm } from '../tpm.ts'
import { readHandles } from './capabilities.ts'

/** First handles of the ranges of TPM_HT (Part 2, 7.2) that occupy slots: transient objects and loaded sessions. */
const FIRST_TRANSIENT = 0x80000000
const FIRST_LOADED_SESSION = 0x02000000

/**
 * Flushes what a client that was killed has left in a TPM without resource manager: three keys are enough to make
 * it refuse every other. Only for a TPM that serves one client at a time, else it would take the others' away.
 */
export async function flushLeftovers(tpm: Tpm): Promise<void> {
  for (const range of [FIRST_TRANSIENT, FIRST_LOADED_SESSION]) {
    for (const handle of await readHandles(tpm, range)) {
      try {
        const [object] = await tpm.execute(ESAPI.handleOf, [handle, ...UNAUTHORIZED])
        await tpm.flush(object)
      } catch (error) {
        // Older tpm2-tss has no way to name somebody else's session; there are far more of those than of keys.
        if (!(error instanceof TpmCommandError)) throw error
      }
    }
  }
}
