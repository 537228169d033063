import { KeepsealError } from '../../shared/errors.ts'

/** What `returned` gives; rejects with KeepsealError `tpm.unavailable` when the bound has passed. */
export async function withBound<T>(name: string, returned: Promise<T>, boundMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new KeepsealError('tpm.unavailable', `${name} did not return within ${boundMs} ms`))
    }, boundMs)
  })
  try {
    return await Promise.race([returned, bound])
  } finally {
    clearTimeout(timer)
  }
}
