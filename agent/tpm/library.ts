import { KeepsealError } from '../../shared/errors.ts'

/** What may be handed to a C function: numbers, a pointer as bigint, a C string, memory, or NULL. */
export type NativeArgument = number | bigint | string | Uint8Array | null

export interface NativeFunction {
  /** Runs on the event loop's thread. */
  (...parameters: NativeArgument[]): unknown
  /** Runs on a thread of its own and calls back on the event loop. */
  async(...parameters: [...NativeArgument[], (error: unknown, result: unknown) => void]): void
}

export type LibraryName = 'esys' | 'mu' | 'tctildr' | 'rc'

/** The four tpm2-tss libraries, loaded. Functions are looked up by name on first use. */
export interface TssLibraries {
  /** Result and parameters are C type names, `void *` for every pointer. */
  find(library: LibraryName, name: string, result: string, parameters: readonly string[]): NativeFunction
  sizeOf(type: 'void *' | 'size_t'): number
}

/** Where each library is found, and the Debian package to name when it is not. */
const LIBRARIES: Readonly<Record<LibraryName, { soname: string; package: string }>> = {
  esys: { soname: 'libtss2-esys.so.0', package: 'libtss2-esys-3.0.2-0' },
  mu: { soname: 'libtss2-mu.so.0', package: 'libtss2-mu0' },
  tctildr: { soname: 'libtss2-tctildr.so.0', package: 'libtss2-tctildr0' },
  rc: { soname: 'libtss2-rc.so.0', package: 'libtss2-rc0' },
}

let loaded: Promise<TssLibraries> | undefined

/**
 * Loads koffi and tpm2-tss once a process, on first use only: an agent without a TPM pays nothing for them.
 * Throws KeepsealError `tpm.library-missing`, which names the package.
 */
export function loadLibraries(): Promise<TssLibraries> {
  loaded ??= openLibraries(LIBRARIES).catch((error: unknown) => {
    loaded = undefined // The operator may install the package while the agent runs.
    throw error
  })
  return loaded
}

/** `loadLibraries` without its memory and with a choice of files. */
export async function openLibraries(
  files: Readonly<Record<LibraryName, { soname: string; package: string }>>,
): Promise<TssLibraries> {
  // tpm2-tss writes to stderr about answers that are expected here, an absent NV index for one. It reads the
  // variable once, at its first message.
  process.env['TSS2_LOG'] ??= 'all+NONE'
  const koffi = await importKoffi()
  const load = (name: LibraryName): ReturnType<typeof koffi.load> => {
    const file = files[name]
    try {
      return koffi.load(file.soname)
    } catch (cause) {
      throw new KeepsealError('tpm.library-missing', file.soname, {
        cause,
        remedy: `Install the package ${file.package}, or what provides ${file.soname} on this system.`,
      })
    }
  }
  const handles = { esys: load('esys'), mu: load('mu'), tctildr: load('tctildr'), rc: load('rc') }
  const functions = new Map<string, NativeFunction>()
  return {
    find(library, name, result, parameters) {
      let found = functions.get(name)
      if (found === undefined) {
        try {
          found = handles[library].func(name, result, [...parameters]) as NativeFunction
        } catch (cause) {
          throw new KeepsealError('tpm.library-missing', `${files[library].soname} has no ${name}`, { cause })
        }
        functions.set(name, found)
      }
      return found
    },
    sizeOf: (type) => koffi.sizeof(type),
  }
}

/** koffi, loaded on first use. Throws KeepsealError `tpm.library-missing` where it has no binary. */
export async function importKoffi() {
  try {
    return (await import('koffi')).default
  } catch (cause) {
    throw new KeepsealError('tpm.library-missing', `koffi has no binary for ${process.platform} ${process.arch}`, {
      cause,
      remedy: 'Set tpm.tcti to device:/dev/tpmrm0 and leave tpm.transport at auto: a device file needs no binary.',
    })
  }
}
