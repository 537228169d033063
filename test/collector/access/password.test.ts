import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  assertUsablePassword,
  hashPassword,
  PASSWORD_COST,
  verifyPassword,
} from '../../../collector/access/password.ts'

const CHEAP = { logN: 4, r: 1, p: 1 }
const PASSWORD = 'correct horse battery'

describe('a password', () => {
  it('is right when it is the same text, however its letters are composed', async () => {
    const stored = await hashPassword('Zürich liegt am See', randomBytes, CHEAP)
    const composed = { isRight: true, isOutdated: false }
    expect(await verifyPassword('Zürich liegt am See'.normalize('NFD'), stored, CHEAP)).toEqual(composed)
    expect(await verifyPassword('zürich liegt am See', stored, CHEAP)).toMatchObject({ isRight: false })
  })

  it('is stored with a salt of its own and its cost, and never as it is', async () => {
    const [one, two] = [
      await hashPassword(PASSWORD, randomBytes, CHEAP),
      await hashPassword(PASSWORD, randomBytes, CHEAP),
    ]
    expect(one).not.toBe(two)
    expect(one).toMatch(/^scrypt\$4\$1\$1\$/)
    expect(one).not.toContain('horse')
  })

  it('is outdated when more work is asked for by now', async () => {
    const stored = await hashPassword(PASSWORD, randomBytes, CHEAP)
    const dearer = { ...CHEAP, logN: 5 }
    expect(await verifyPassword(PASSWORD, stored, dearer)).toEqual({ isRight: true, isOutdated: true })
  })

  it.each([undefined, '', 'plain', 'scrypt$4$1$1$short$short'])(
    'is never right for what is stored as %s',
    async (stored) => {
      expect(await verifyPassword('', stored, CHEAP)).toEqual({ isRight: false, isOutdated: false })
    },
  )

  it('costs what is meant to be cost by default', async () => {
    const stored = await hashPassword(PASSWORD, randomBytes)
    expect(stored).toMatch(/^scrypt\$15\$8\$3\$/)
    expect(await verifyPassword(PASSWORD, stored, PASSWORD_COST)).toEqual({ isRight: true, isOutdated: false })
  })

  it('is refused before too many of them take the memory', async () => {
    const many = Array.from({ length: 60 }, () => verifyPassword(PASSWORD, undefined, { logN: 12, r: 8, p: 1 }))
    const settled = await Promise.allSettled(many)
    const refused = settled.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(60 - 2 - 32)
    expect(refused[0]).toMatchObject({ reason: { code: 'request.rate-limited' } })
    // And goes on afterwards.
    expect(await verifyPassword(PASSWORD, undefined, CHEAP)).toMatchObject({ isRight: false })
  })

  it.each(['short one', 'a'.repeat(20), 'x'.repeat(300), 'ada is my name'])(
    'has to be hard to guess: %s',
    (password) => {
      expect(() => assertUsablePassword(password, 'ada')).toThrow(
        expect.objectContaining({ code: 'auth.password-weak' }),
      )
    },
  )

  it('may be anything else', () => {
    expect(() => assertUsablePassword(PASSWORD, 'ada')).not.toThrow()
  })
})
