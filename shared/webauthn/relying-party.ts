import * as v from 'valibot'

/** Whom a credential is for. Every authenticator signs the hash of the id, and every browser names the origin. */
export interface RelyingParty {
  /** A host name without scheme and port. */
  readonly id: string
  /** Pages from which it may be used. */
  readonly origins: readonly string[]
}

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const ORIGIN = /^(https?):\/\/([a-z0-9.-]+)(:[1-9][0-9]{0,4})?$/

/** An origin has to be of the host or below it, over TLS unless it is this very machine. */
function isOriginOf(origin: string, id: string): boolean {
  const [, scheme, host = ''] = ORIGIN.exec(origin) ?? []
  if (host !== id && !host.endsWith(`.${id}`)) return false
  return scheme === 'https' || (scheme === 'http' && host === 'localhost')
}

export const relyingPartySchema = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.regex(HOST, 'a host name in lower case')),
    origins: v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.minLength(1), v.maxLength(4)),
  }),
  v.check(({ id, origins }) => origins.every((origin) => isOriginOf(origin, id)), 'origins of that host, by https'),
)
