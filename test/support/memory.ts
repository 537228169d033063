import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Without a disk, where there is such a place: each message of a fleet is a commit. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
