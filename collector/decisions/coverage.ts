import { toHex } from '../../shared/bytes/bytes.ts'
import { coverageOf, type Coverage, type Unit } from '../../shared/decisions/coverage.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { Release } from '../model/release.ts'
import type { Store } from '../store/index.ts'
import type { Decisions } from './decision-book.ts'

/** Whether devices are covered, for one answer: each release is read once. */
export class CoverageReader {
  readonly #store: Store
  readonly #decisions: Pick<Decisions, 'register'>
  readonly #releases = new Map<string, Release | undefined>()
  #register: Register | undefined

  constructor(store: Store, decisions: Pick<Decisions, 'register'>) {
    this.#store = store
    this.#decisions = decisions
  }

  /** `now`: ms since 1970. */
  async of(device: Device, state: DeviceState, now: number): Promise<Coverage> {
    this.#register ??= await this.#decisions.register(this.#store)
    return coverageOf(this.#register, await this.#unit(device, state), Math.floor(now / 1000))
  }

  async #unit({ vendor, model, hardwareRevision, enrolment }: Device, state: DeviceState): Promise<Unit> {
    const release = await this.#release(state.release.current)
    const isFailing = enrolment !== 'active' || state.latch !== 'none' || state.verdict === 'contraindicated'
    return { vendor, model, hardwareRevision, release: release === undefined ? null : running(release), isFailing }
  }

  async #release(id: string | null): Promise<Release | undefined> {
    if (id === null) return undefined
    if (!this.#releases.has(id)) this.#releases.set(id, await this.#store.releases.byId(id))
    return this.#releases.get(id)
  }
}

/** What the coverage of a unit depends on, of the release that it runs. */
export const running = ({ name, digest, activatedAt, countersigned }: Release): NonNullable<Unit['release']> => ({
  name,
  digest: toHex(digest),
  activatedAt: activatedAt === null ? null : Math.floor(activatedAt / 1000),
  isCountersigned: countersigned !== null,
})
