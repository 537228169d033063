import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authoritiesIn } from '../../../agent/enrol/authorities.ts'
import { readCertificate } from '../../../agent/enrol/certificate-file.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('authorities')
const NOBODY = 65_534

/** As the service's user, which may read what others may. */
async function unprivileged<T>(action: () => Promise<T>): Promise<T> {
  const root = process.geteuid?.() === 0
  if (root) process.seteuid?.(NOBODY)
  try {
    return await action()
  } finally {
    if (root) process.seteuid?.(0)
  }
}

describe('a certificate that an operator named', () => {
  const file = (content: string): string => {
    const directory = scratch()
    chmodSync(directory, 0o755)
    const path = join(directory, 'ca.pem')
    writeFileSync(path, content)
    return path
  }

  it('is read', async () => {
    const { authority } = createPki()
    expect(await authoritiesIn(file(authority))).toBe(authority)
  })

  it('is no certificate: that is what is said', async () => {
    for (const read of [authoritiesIn, readCertificate]) {
      await expect(read(file('text'))).rejects.toMatchObject({
        code: 'file.unreadable',
        message: expect.stringContaining('is not a certificate'),
      })
    }
  })

  it('may not be read by the service: it is not called something else than a certificate', async () => {
    for (const read of [authoritiesIn, readCertificate]) {
      const path = file(createPki().authority)
      chmodSync(path, 0o000)
      const failure = await unprivileged<unknown>(() => read(path)).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'file.unreadable', cause: { code: 'EACCES' } })
      expect(String(failure)).not.toContain('is not a certificate')
    }
  })
})
