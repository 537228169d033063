import { KeepsealError } from '../../shared/errors.ts'
import { commandError } from './command-error.ts'
import { flushLeftovers } from './commands/leftovers.ts'
import { EsysTpm } from './esys-tpm.ts'
import type { NativeArgument, NativeFunction, TssLibraries } from './library.ts'
import { Cell } from './marshal.ts'
import { startCall, type NativeCall } from './native-call.ts'
import type { Tpm } from './tpm.ts'

/** A TPM that is waking up, or is in use by another client, may let the first answer wait. */
const BOUND_MS = 30_000

/** What finds and opens the TCTI. */
export const TCTI_LOADER = 'Tss2_TctiLdr_Initialize'

/** Opens the TPM at a TCTI configuration through tpm2-tss. Throws KeepsealError `tpm.unavailable`. */
export async function openEsysTpm(libraries: TssLibraries, tcti: string, boundMs: number): Promise<Tpm> {
  const connection = new Cell(libraries)
  const context = new Cell(libraries)
  const release = (): void => finalize(libraries, context, connection)

  const initializeTcti = libraries.find('tctildr', TCTI_LOADER, 'uint32_t', ['str', 'void *'])
  const initializeEsys = libraries.find('esys', 'Esys_Initialize', 'uint32_t', ['void *', 'void *', 'void *'])
  const start = (name: string, run: NativeFunction, parameters: NativeArgument[]): Promise<void> =>
    initialize(libraries, tcti, startCall(name, run, parameters, Math.min(boundMs, BOUND_MS)), name, release)
  await start(TCTI_LOADER, initializeTcti, [tcti, connection.memory])
  await start('Esys_Initialize', initializeEsys, [context.memory, connection.value, null])

  const tpm = new EsysTpm(libraries, context, boundMs, release)
  try {
    // swtpm serves one client at a time: what is in it belongs to nobody any more.
    if (tcti.startsWith('swtpm:')) await flushLeftovers(tpm)
    return tpm
  } catch (error) {
    await tpm.close()
    throw error
  }
}

async function initialize(
  libraries: TssLibraries,
  tcti: string,
  call: NativeCall,
  name: string,
  release: () => void,
): Promise<void> {
  try {
    const rc = await call.rc
    if (rc === 0) return
    const cause = commandError(libraries, name, rc)
    throw new KeepsealError('tpm.unavailable', `${tcti}: ${cause.answer}`, { cause })
  } catch (error) {
    void call.finished.then(release)
    throw error
  }
}

function finalize(libraries: TssLibraries, context: Cell, connection: Cell): void {
  if (context.value !== 0n) libraries.find('esys', 'Esys_Finalize', 'void', ['void *'])(context.memory)
  if (connection.value === 0n) return
  libraries.find('tctildr', 'Tss2_TctiLdr_Finalize', 'void', ['void *'])(connection.memory)
}
