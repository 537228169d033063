import { createReadStream } from 'node:fs'
import { open as openFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { KeepsealError } from '../../../shared/errors.ts'
import { BadStatus, discard, open, unreachable, type Visit } from './request.ts'

/** Validators of HTTP (RFC 9110, section 8.8) of what is known already. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

export interface Downloaded extends Validators {
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** The server was on this machine or in a private network, and may send there. */
  readonly isPrivate: boolean
}

/** What is left of a download that broke off, and what it was of. */
interface Remnant extends Validators {
  readonly url: string
  readonly bytes: number
}

const MAX_ATTEMPTS = 2

/**
 * Fetches to a file, which is there when all of it is. 'unchanged' where the server says that it is what it was. What
 * broke off goes on where it ended, if the server has the same still. Errors: advisory.feed-unreachable,
 * advisory.redirect-refused, advisory.too-large.
 */
export async function download(
  url: string,
  file: string,
  known: Validators | null,
  visit: Visit,
): Promise<Downloaded | 'unchanged'> {
  const part = `${file}.part`
  for (let attempt = 1; ; attempt++) {
    const remnant = await remnantOf(part, url)
    const { response, isPrivate, end } = await open(url, headersFor(known, remnant), visit)
    try {
      const { statusCode: status } = response
      if (status === 304 && known !== null) {
        discard(response)
        return 'unchanged'
      }
      // What was begun cannot be gone on with: from the start, once.
      if (status === 416 && remnant !== null && attempt < MAX_ATTEMPTS) {
        discard(response)
        await forget(part)
        continue
      }
      // Of something else than what was begun, whatever the server was asked.
      if (status === 206 && remnant !== null && !isSame(remnant, response) && attempt < MAX_ATTEMPTS) {
        response.destroy()
        await forget(part)
        continue
      }
      const start = status === 206 && remnant !== null ? rangeStart(response, url) : 0
      if (start !== 0 && start !== remnant?.bytes) throw unreachable(url, 'another range was sent than was asked for')
      if (status !== 200 && status !== 206) {
        discard(response)
        throw new BadStatus(url, status ?? 0, response.headers['retry-after'] ?? null)
      }
      if (status === 206 && remnant === null) throw unreachable(url, 'a part was sent that nobody asked for')
      const declared = Number(response.headers['content-length'] ?? 0)
      if (start + declared > visit.maxBytes) throw tooLarge(url, visit.maxBytes)
      const validators = validatorsOf(response)
      // Never is an old part on disk beside the validators of a new one.
      if (start === 0) await forget(part)
      await writeFile(`${part}.json`, JSON.stringify({ url, ...validators }), { mode: 0o600 })
      await append(response, part, start, url, visit.maxBytes)
      const { size } = await stat(part)
      await rename(part, file)
      await forget(part)
      return { ...validators, bytes: size, sha256: await digestOf(file, 'sha256'), isPrivate }
    } catch (error) {
      if (error instanceof KeepsealError && error.code === 'advisory.too-large') await forget(part)
      throw error instanceof KeepsealError ? error : unreachable(url, end.reason ?? textOf(error), error)
    } finally {
      end.settle()
    }
  }
}

/** What has come is on disk when it breaks off. */
async function append(
  response: IncomingMessage,
  part: string,
  start: number,
  url: string,
  most: number,
): Promise<void> {
  const handle = await openFile(part, start === 0 ? 'w' : 'a', 0o600)
  try {
    let size = start
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length
      if (size > most) throw tooLarge(url, most)
      await handle.writeFile(piece)
    }
  } finally {
    await handle.close()
  }
}

const tooLarge = (url: string, most: number): KeepsealError =>
  new KeepsealError('advisory.too-large', `${url}: more than ${most} bytes`)

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function headersFor(known: Validators | null, remnant: Remnant | null): Readonly<Record<string, string>> {
  const validator = remnant && (remnant.etag ?? remnant.lastModified)
  return {
    ...(known?.etag ? { 'if-none-match': known.etag } : {}),
    ...(known?.lastModified ? { 'if-modified-since': known.lastModified } : {}),
    ...(remnant && validator ? { range: `bytes=${remnant.bytes}-`, 'if-range': validator } : {}),
  }
}

function validatorsOf({ headers }: IncomingMessage): Validators {
  return { etag: headers.etag ?? null, lastModified: headers['last-modified'] ?? null }
}

/** What goes on has the validator of what it goes on with (RFC 9110, section 15.3.7). */
const isSame = ({ etag, lastModified }: Validators, { headers }: IncomingMessage): boolean =>
  (headers.etag ?? null) === etag && (etag !== null || headers['last-modified'] === lastModified)

/** Of `Content-Range: bytes 100-199/200`, which has to reach to the end. */
function rangeStart({ headers }: IncomingMessage, url: string): number {
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers['content-range'] ?? '')
  const [, start, last, length] = range ?? []
  if (start === undefined) throw unreachable(url, 'a part was sent without its range')
  if (length !== '*' && Number(last) + 1 !== Number(length)) {
    throw unreachable(url, 'less was sent than was asked for')
  }
  return Number(start)
}

/** A part can be gone on with where a validator says what it is a part of; a weak one does not (RFC 9110, section 13.1.5). */
async function remnantOf(part: string, url: string): Promise<Remnant | null> {
  try {
    const said = JSON.parse(await readFile(`${part}.json`, 'utf8')) as Partial<Remnant>
    const { size } = await stat(part)
    const etag = typeof said.etag === 'string' && !said.etag.startsWith('W/') ? said.etag : null
    const lastModified = typeof said.lastModified === 'string' && said.etag === null ? said.lastModified : null
    if (said.url !== url || size === 0 || (etag ?? lastModified) === null) return null
    return { url, etag, lastModified, bytes: size }
  } catch {
    return null
  }
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true })
  await rm(`${part}.json`, { force: true })
}

/** Of a file as it is on disk, hexadecimal. */
export async function digestOf(file: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm)
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) hash.update(piece)
  return hash.digest('hex')
}
