import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Person, Release, ReleaseState } from '../../../collector/model/release.ts'
import { activate, approve, countersign, retire, revoke, rewrite } from '../../../collector/releases/lifecycle.ts'
import { releaseSet } from '../../../collector/releases/release-set.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { NOW, release } from './support.ts'

const ADA: Person = { tokenId: 'api_ada', name: 'Ada' }
const BEN: Person = { tokenId: 'api_ben', name: 'Ben' }
const PEOPLE = [ADA, BEN, { tokenId: 'api_ada2', name: ' ADA ' }, { tokenId: 'api_cleo', name: 'Cleo' }]

const NEXT: Readonly<Record<ReleaseState, readonly ReleaseState[]>> = {
  draft: ['draft', 'approved', 'revoked'],
  approved: ['approved', 'active', 'revoked'],
  active: ['active', 'superseded', 'revoked'],
  superseded: ['superseded', 'revoked'],
  revoked: ['revoked'],
}

/** Three releases of one product, and what people try with them. */
class Product {
  releases: readonly Release[] = [1, 2, 3].map((n) => release({ id: `rel_${n}`, name: String(n), authors: [ADA] }))
  now = NOW
  isCertified = false

  /** Applies a step; what is refused has to have a code, and changes nothing. */
  attempt(index: number, step: (one: Release, others: readonly Release[]) => readonly Release[]): void {
    const one = this.releases[index]
    if (one === undefined) return
    const others = this.releases.filter((each) => each !== one)
    let changed: readonly Release[]
    try {
      changed = step(one, others)
    } catch (error) {
      if (!(error instanceof KeepsealError)) throw error
      expect(error.code).toMatch(/^release\./)
      return
    }
    const before = this.releases
    this.releases = before.map((each) => changed.find(({ id }) => id === each.id) ?? each)
    for (const each of before) {
      const after = this.releases.find(({ id }) => id === each.id)
      expect(NEXT[each.state]).toContain(after?.state)
      // What was approved is what is in force.
      if (each.state !== 'draft') expect(after?.digest).toEqual(each.digest)
      if (each.order !== null) expect(after?.order).toBe(each.order)
    }
  }

  check(): void {
    const active = this.releases.filter(({ state }) => state === 'active')
    expect(active.length).toBeLessThanOrEqual(1)
    const orders = this.releases.map(({ order }) => order).filter((order) => order !== null)
    expect(new Set(orders).size).toBe(orders.length)
    for (const one of this.releases) {
      if (one.order === null) continue
      expect(one.approved).not.toBeNull()
      expect(one.authors.map(({ name }) => name.trim().toLowerCase())).not.toContain(
        one.approved?.by.name.trim().toLowerCase(),
      )
      if (one.state === 'superseded') expect(one.acceptedUntil).not.toBeNull()
    }
    for (const { release: one, standing } of releaseSet(this.releases, this.now)) {
      if (standing === 'accepted') expect(['active', 'superseded']).toContain(one.state)
    }
  }
}

type Command = fc.Command<object, Product>
const command = (name: string, run: (product: Product) => void): Command => ({
  check: () => true,
  run: (_, product) => {
    run(product)
    product.now += 1
    product.check()
  },
  toString: () => name,
})

const index = fc.nat(2)
const person = fc.constantFrom(...PEOPLE)
const commands = [
  fc
    .tuple(index, person, fc.nat(3))
    .map(([at, by, content]) =>
      command(`rewrite ${at} by ${by.name}`, (product) =>
        product.attempt(at, (one) => [rewrite(one, Uint8Array.of(content), by)]),
      ),
    ),
  fc
    .tuple(index, person, fc.boolean())
    .map(([at, by, hasSeen]) =>
      command(`approve ${at} by ${by.name}`, (product) =>
        product.attempt(at, (one) => [approve(one, { by, at: product.now }, hasSeen ? one.digest : new Uint8Array(1))]),
      ),
    ),
  fc
    .tuple(index, person)
    .map(([at, by]) =>
      command(`countersign ${at} by ${by.name}`, (product) =>
        product.attempt(at, (one) => [countersign(one, { by, at: product.now }, one.digest)]),
      ),
    ),
  fc.tuple(index, fc.option(fc.integer({ min: -5, max: 5 })), fc.boolean()).map(([at, window, isMinimum]) =>
    command(`activate ${at} until ${window}`, (product) =>
      product.attempt(at, (one, others) => {
        const { now, isCertified } = product
        const acceptedUntil = window === null ? null : now + window
        return activate(one, others, { now, acceptedUntil, isMinimum, isCertified })
      }),
    ),
  ),
  fc
    .tuple(index, fc.integer({ min: -5, max: 5 }))
    .map(([at, until]) =>
      command(`retire ${at} at ${until}`, (product) =>
        product.attempt(at, (one) => [retire(one, product.now, product.now + until)]),
      ),
    ),
  index.map((at) => command(`revoke ${at}`, (product) => product.attempt(at, (one) => [revoke(one, product.now)]))),
]

describe('the life of releases', () => {
  it('goes forward only, with one active release, approved by somebody who has not written it', () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 30 }), (steps) => {
        fc.modelRun(() => ({ model: {}, real: new Product() }), steps)
      }),
    )
  })

  it('needs another person, by any token of his', () => {
    const draft = release({ authors: [ADA] })
    const by = (who: Person) => ({ by: who, at: NOW })
    expect(codeOf(() => approve(draft, by(ADA), draft.digest))).toBe('release.same-person')
    expect(codeOf(() => approve(draft, by({ tokenId: 'api_x', name: 'ada ' }), draft.digest))).toBe(
      'release.same-person',
    )
    expect(codeOf(() => approve(rewrite(draft, draft.digest, BEN), by(BEN), draft.digest))).toBe('release.same-person')
    expect(codeOf(() => approve(draft, by(BEN), new Uint8Array(32)))).toBe('release.changed')
    expect(approve(draft, by(BEN), draft.digest)).toMatchObject({ state: 'approved', approved: by(BEN) })
  })

  it('needs the countersignature of a certified product, and a window where one is active', () => {
    const approved = release({ state: 'approved' })
    const open = { now: NOW, acceptedUntil: null, isMinimum: false, isCertified: false }
    expect(codeOf(() => activate(approved, [], { ...open, isCertified: true }))).toBe(
      'release.countersignature-missing',
    )
    const active = release({ id: 'rel_0', state: 'active', order: 1, activatedAt: NOW })
    expect(codeOf(() => activate(approved, [active], open))).toBe('release.window-invalid')
    const [now, before] = activate(approved, [active], { ...open, acceptedUntil: NOW + 5 })
    expect(now).toMatchObject({ state: 'active', order: 2 })
    expect(before).toMatchObject({ state: 'superseded', supersededAt: NOW, acceptedUntil: NOW + 5 })
    expect(codeOf(() => retire(before ?? active, NOW, NOW + 6))).toBe('release.window-invalid')
  })
})
