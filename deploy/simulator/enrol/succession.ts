import { join } from 'node:path'
import { postSigned } from '../../../agent/enrol/https-client.ts'
import { saveTrust } from '../../../agent/state/change-identity.ts'
import type { Identity } from '../../../agent/state/identity.ts'
import { follow } from '../../../agent/succession/follow.ts'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { SuccessionAnswer } from '../../../shared/evidence/renewal.ts'
import { serialOf } from '../keys/gateway-keys.ts'

/** How the collector came to what it is now, as it says by HTTPS; null where it never was another. */
export async function askedSuccession(
  collectorUrl: string,
  authorities: string | undefined,
): Promise<Uint8Array | null> {
  const url = new URL('/enroll/v1/succession', collectorUrl)
  const { succession } = await postSigned({ url, body: {}, authorities }, SuccessionAnswer, () => undefined)
  return succession === null ? null : fromBase64Url(succession)
}

/** Identities of a fleet, which follow their collector as agents do: what they have followed is on disk. */
export class FollowingIdentities {
  readonly #directory: string
  readonly #identities: Identity[]
  /** One after the other: the same chain comes to all at once, and more than once. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(directory: string, identities: readonly Identity[]) {
    this.#directory = directory
    this.#identities = [...identities]
  }

  of(index: number): Identity | undefined {
    return this.#identities[index]
  }

  /**
   * A chain that has come to one gateway. Undefined where it has nothing newer; `moved`: the broker is reached in another
   * way. Throws KeepsealError `collector.refused`, `state.*`.
   */
  offer(
    index: number,
    chain: Uint8Array,
  ): Promise<{ readonly identity: Identity; readonly moved: boolean } | undefined> {
    const done = this.#queue.then(async () => {
      const before = this.#identities[index]
      if (before === undefined) return undefined
      const next = follow(before, chain, Math.floor(Date.now() / 1000))
      if (next === undefined) return undefined
      const identity = await saveTrust(join(this.#directory, serialOf(index)), before.ueid, next)
      this.#identities[index] = identity
      return { identity, moved: next.moved }
    })
    this.#queue = done.catch(() => undefined)
    return done
  }
}
