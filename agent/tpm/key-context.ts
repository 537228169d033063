import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { concat, equal, utf8 } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import type { AttestationKeyRequest } from './attestation-key.ts'

/** Where the saved context of the attestation key stays between two measurements of one boot. */
export interface KeyContextStore {
  /** Undefined where there is none for this key and this boot. */
  load(request: AttestationKeyRequest): Promise<Uint8Array | undefined>
  /** Never rejects: without a saved context everything works, only slower. */
  save(request: AttestationKeyRequest, context: Uint8Array): Promise<void>
}

/**
 * One file in the agent's runtime directory, which does not survive a boot. It begins with a digest over the kernel's
 * boot id (16 bytes) and the key that it is for. `onUnsaved` hears of a failure to write it.
 */
export function fileKeyContextStore(
  file: string,
  bootId: Uint8Array,
  onUnsaved: (cause: unknown) => void,
): KeyContextStore {
  const labelOf = ({ kind, seed }: AttestationKeyRequest): Uint8Array =>
    hash('sha256', concat(bootId, seed, utf8(kind)))
  return {
    async load(request) {
      const label = labelOf(request)
      const content = await readFile(file).catch(() => undefined)
      if (content === undefined || !equal(content.subarray(0, label.length), label)) return undefined
      return new Uint8Array(content.subarray(label.length))
    },
    async save(request, context) {
      const temporary = `${file}.${randomUUID()}`
      try {
        await writeFile(temporary, concat(labelOf(request), context), { mode: 0o600, flag: 'wx' })
        await rename(temporary, file)
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined)
        onUnsaved(cause)
      }
    },
  }
}
