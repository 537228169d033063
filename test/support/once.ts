import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LONGEST_WAIT_MS = 900_000

/**
 * What several test files need and one makes: whoever comes first, while the others wait. `folder`: of this run of the
 * tests; what is given travels as JSON.
 */
export async function once<T>(folder: string, name: string, make: () => Promise<T>): Promise<T> {
  const made = join(folder, `${name}.json`)
  if (isFirst(join(folder, `${name}.lock`))) {
    const outcome = await make().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: String(error) }),
    )
    writeFileSync(`${made}.new`, JSON.stringify(outcome))
    renameSync(`${made}.new`, made)
  }
  const deadline = Date.now() + LONGEST_WAIT_MS
  while (!existsSync(made)) {
    if (Date.now() > deadline) throw new Error(`whoever began to make ${name} has not ended`)
    await sleep(200)
  }
  const outcome = JSON.parse(readFileSync(made, 'utf8')) as { readonly value: T } | { readonly error: string }
  if ('error' in outcome) throw new Error(`${name}: ${outcome.error}`)
  return outcome.value
}

function isFirst(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}
