import { expect, it } from 'vitest'
import type { PendingEnrolment } from '../../../collector/model/product.ts'
import { describeStore } from './support.ts'
import { bytes, everyPage, id, NOW, storedProduct, token } from './samples.ts'

const UNTIL = NOW + 600_000
const [me, other] = [bytes('me'), bytes('other')]

describeStore('enrolment tokens', (createStore) => {
  const stored = async (over = {}) => {
    const store = createStore()
    const made = token((await storedProduct(store)).id, over)
    await store.enrolmentTokens.create(made)
    return { store, tokens: store.enrolmentTokens, made }
  }

  it('are found by their hash, with everything about them', async () => {
    const { tokens, made } = await stored({ reenrolUeid: `01${'a'.repeat(32)}` })
    expect(await tokens.byHash(made.tokenHash)).toEqual(made)
    expect(await tokens.byHash(bytes('unknown'))).toBeUndefined()
  })

  it('are held by one enrolment at a time', async () => {
    const { tokens, made } = await stored()
    expect(await tokens.reserve(made.id, me, UNTIL, NOW)).toBe('ok')
    expect(await tokens.reserve(made.id, other, UNTIL, NOW + 1)).toBe('reserved')
    expect(await tokens.reserve(made.id, me, UNTIL + 1, NOW + 1)).toBe('ok')
    expect(await tokens.reserve(made.id, other, UNTIL + 600_000, UNTIL + 1)).toBe('ok')
    expect(await tokens.reserve(made.id, me, UNTIL + 600_000, UNTIL + 2)).toBe('reserved')
  })

  it('are held by exactly one of many that ask at the same moment', async () => {
    const { tokens, made } = await stored()
    const asking = Array.from({ length: 20 }, (_, index) =>
      tokens.reserve(made.id, bytes(`device ${index}`), UNTIL, NOW),
    )
    const answers = await Promise.all(asking)
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(1)
    expect(answers.filter((answer) => answer === 'reserved')).toHaveLength(19)
  })

  it('are refused when unknown, expired or used', async () => {
    const { tokens, made } = await stored()
    await expect(tokens.reserve(id('tok'), me, UNTIL, NOW)).rejects.toMatchObject({ code: 'enrol.token-unknown' })
    expect(await tokens.reserve(made.id, me, UNTIL, made.expiresAt)).toBe('expired')
    expect(await tokens.reserve(made.id, me, UNTIL, NOW)).toBe('ok')
    expect(await tokens.consume(made.id, 'ueid', NOW + 1)).toBe(true)
    expect(await tokens.reserve(made.id, me, UNTIL, NOW + 2)).toBe('used')
  })

  it('are consumed exactly once by many that try at the same moment', async () => {
    const { store, tokens, made } = await stored()
    await tokens.reserve(made.id, me, UNTIL, NOW)
    const direct = Array.from({ length: 10 }, (_, index) => tokens.consume(made.id, `direct ${index}`, NOW + 1))
    const transactions = Array.from({ length: 10 }, (_, index) =>
      store.transaction((inner) => inner.enrolmentTokens.consume(made.id, `transaction ${index}`, NOW + 1)),
    )
    const answers = await Promise.all([...direct, ...transactions])
    expect(answers.filter(Boolean)).toHaveLength(1)
    const winner = answers.indexOf(true)
    const name = winner < 10 ? `direct ${winner}` : `transaction ${winner - 10}`
    expect(await tokens.byHash(made.tokenHash)).toMatchObject({ usedAt: NOW + 1, usedByUeid: name })
  })

  it('are not consumed without a reservation that holds', async () => {
    const { tokens, made } = await stored()
    expect(await tokens.consume(made.id, 'ueid', NOW)).toBe(false)
    await tokens.reserve(made.id, me, UNTIL, NOW)
    expect(await tokens.consume(made.id, 'ueid', UNTIL + 1)).toBe(false)
    expect(await tokens.consume(made.id, 'ueid', UNTIL)).toBe(true)
  })

  it('are not used up by an enrolment that is rolled back', async () => {
    const { store, tokens, made } = await stored()
    await tokens.reserve(made.id, me, UNTIL, NOW)
    const failing = store.transaction(async (inner) => {
      expect(await inner.enrolmentTokens.consume(made.id, 'ueid', NOW)).toBe(true)
      throw new Error('the certificate could not be issued')
    })
    await expect(failing).rejects.toThrow()
    expect(await tokens.consume(made.id, 'ueid', NOW)).toBe(true)
  })

  it('are listed newest first, each once, over pages', async () => {
    const { tokens, made } = await stored()
    for (let i = 1; i < 5; i++)
      await tokens.create(token(made.productId, { id: id('tok', NOW + i), createdAt: NOW + i }))
    const pages = await everyPage((cursor) => tokens.list({ limit: 2, cursor }))
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
    expect(pages.flat().map((each) => each.createdAt - NOW)).toEqual([4, 3, 2, 1, 0])
  })

  it('refuse a cursor of another list', async () => {
    const { tokens } = await stored()
    await expect(tokens.list({ limit: 2, cursor: "' or 1" })).rejects.toMatchObject({ code: 'request.invalid' })
    await expect(tokens.list({ limit: 0 })).rejects.toMatchObject({ code: 'request.invalid' })
  })
})

describeStore('pending enrolments', (createStore) => {
  const stored = async (expiresAt = UNTIL) => {
    const store = createStore()
    const owner = token((await storedProduct(store, { model: String(expiresAt) })).id)
    await store.enrolmentTokens.create(owner)
    const pending: PendingEnrolment = {
      id: id('enr'),
      tokenId: owner.id,
      challenge: bytes('challenge'),
      secretHash: null,
      request: '{"product":{}}',
      identity: 'software',
      expiresAt,
    }
    await store.pendingEnrolments.insert(pending)
    return { pendings: store.pendingEnrolments, pending }
  }

  it('are taken once', async () => {
    const { pendings, pending } = await stored()
    const taken = await Promise.all([pendings.take(pending.id), pendings.take(pending.id), pendings.take(pending.id)])
    expect(taken.filter((each) => each !== undefined)).toEqual([pending])
  })

  it('are swept when their time is over', async () => {
    const [late, early] = [await stored(UNTIL), await stored(NOW)]
    await late.pendings.deleteExpired(NOW)
    expect(await early.pendings.take(early.pending.id)).toBeUndefined()
    expect(await late.pendings.take(late.pending.id)).toEqual(late.pending)
  })
})
