/** Numbers of the measurement list of Linux IMA, and the bounds within which a list is read. */

/** The PCR that IMA extends where its policy names no other. */
export { IMA_PCR } from '../eventlog/constants.ts'

/** A gateway measures a few thousand files in a boot session; the collector asks for suffixes alone. */
export const MAX_LIST_SIZE = 16 * 1024 * 1024

/** Entries of real files take 100 to 200 bytes, so that this and MAX_LIST_SIZE are about the same bound. */
export const MAX_ENTRIES = 100_000

/** Template names are a few letters. A custom format, which stands in the place of a name, is refused anyway. */
export const MAX_TEMPLATE_NAME = 64

/** Of the template `ima`: the longest name, and what a name is padded to for hashing (IMA_EVENT_NAME_LEN_MAX). */
export const LEGACY_NAME_MAX = 255

/** SHA-512 and Streebog-512 are the largest that the kernel can measure with. */
export const MAX_DIGEST_SIZE = 64

/** The name of the entry that the kernel makes first, over the PCRs of the boot. */
export const BOOT_AGGREGATE = 'boot_aggregate'
