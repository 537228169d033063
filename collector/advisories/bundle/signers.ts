import { equal, fromHex } from '../../../shared/bytes/bytes.ts'
import type { OpenedPage } from '../../../shared/advisories/bundle.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import {
  keyInForceAt,
  keysAfter,
  keysAfterThumbprint,
  type KeyChain,
  type KeyHistory,
} from '../../../shared/evidence/key-history.ts'
import type { Store } from '../../store/index.ts'
import { collectorKeyOf } from '../../trust/succession.ts'

/** Whose bundles are taken. */
export interface TrustedSigners {
  /** This collector itself, whose former keys count for what is of their time. */
  readonly own: { readonly x: Uint8Array; readonly history: KeyHistory }
  /** Thumbprints of others that people trust, hexadecimal. */
  readonly others: readonly string[]
}

/**
 * A bundle of before a rotation can be under way for so long, as devices hold the former way for so long. Afterwards it is
 * exported anew: else whoever has a copy of the former key could make bundles of before for ever.
 */
const CARRIED_SECONDS = 30 * 86_400

/**
 * The trusted key, by its thumbprint, that leads to the one that has signed the page; `carried` is how its collector says
 * that it does. Where that leads is kept, and never gone back from. Error: advisory.signature-invalid.
 */
export async function trustedFor(
  store: Store,
  page: OpenedPage,
  { own, others }: TrustedSigners,
  carried: KeyHistory | null,
  now: number,
): Promise<string> {
  if (isOwn(page, own, now)) return page.signer
  for (const trusted of others) {
    const chain = await follow(store, page, trusted, carried, now)
    if (chain !== undefined && isOfItsTime(chain, page, now)) return trusted
  }
  throw new KeepsealError('advisory.signature-invalid', `signed by ${page.signer}`)
}

function isOwn(page: OpenedPage, { x, history }: TrustedSigners['own'], now: number): boolean {
  if (equal(page.key, x)) return true
  const chain = keysAfterThumbprint(fromHex(page.signer), history, collectorKeyOf)
  return chain !== undefined && equal(chain.newest.x, x) && isOfItsTime(chain, page, now)
}

/** A former key has signed nothing that was looked at later. `now`: milliseconds since 1970. */
function isOfItsTime(chain: KeyChain, { signer, feeds }: OpenedPage, now: number): boolean {
  const looked = Math.max(0, ...feeds.map(({ checkedAt }) => checkedAt))
  const key = keyInForceAt(chain, fromHex(signer), Math.floor(looked / 1000))
  return key !== undefined && (key.until === null || now <= (key.until + CARRIED_SECONDS) * 1000)
}

/** What this trusted key has led to, by what is known and by what has come; undefined where it leads nowhere here. */
function follow(
  store: Store,
  page: OpenedPage,
  trusted: string,
  carried: KeyHistory | null,
  now: number,
): Promise<KeyChain | undefined> {
  return store.transaction(async ({ bundleSigners }) => {
    const known = await bundleSigners.historyOf(trusted)
    const statements = [...(known?.statements ?? []), ...(carried?.statements ?? [])]
    const first = known?.first ?? carried?.first ?? null
    const chain =
      page.signer === trusted
        ? keysAfter(page.key, statements, collectorKeyOf)
        : keysAfterThumbprint(fromHex(trusted), { first, statements }, collectorKeyOf)
    if (chain !== undefined && chain.statements.length > (known?.statements.length ?? 0)) {
      await bundleSigners.follow(trusted, { first: chain.first.x, statements: chain.statements }, now)
    }
    return chain
  })
}
