import type { FastifyReply, FastifyRequest } from 'fastify'

/** A cache must not show for long what was decided otherwise since. */
const MAX_AGE_SECONDS = 300

export interface Cacheable {
  /** Of the signed bytes, in hexadecimal. */
  readonly digest: string
  /** Seconds since 1970. */
  readonly expiresAt: number
  /** Which of several representations. */
  readonly form: string
  /** Headers of the request that the representation was chosen by. */
  readonly vary?: string
}

/** Sets the headers of caching, and says whether whoever asks has it already (RFC 9110 section 13.1.2). */
export function isCached(
  request: FastifyRequest,
  reply: FastifyReply,
  { digest, expiresAt, form, vary = 'accept' }: Cacheable,
  now: number,
): boolean {
  const age = Math.max(0, Math.min(expiresAt - now, MAX_AGE_SECONDS))
  const tag = `"${digest.slice(0, 32)}-${form}"`
  void reply.headers({
    etag: tag,
    vary,
    'cache-control': `public, max-age=${age}`,
    expires: new Date((now + age) * 1000).toUTCString(),
    'access-control-allow-origin': '*',
  })
  const asked = request.headers['if-none-match'] ?? ''
  return asked.split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
}
