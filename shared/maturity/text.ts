import * as v from 'valibot'

/** What people write in profiles, catalogues and documents: bounded, and nothing in it that a terminal would obey. */

/** An id that people write: of a profile, a limitation, a kind of document, a signal. */
export const slug = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/, 'lower-case letters, digits, and - . _ between them'),
  v.maxLength(64),
)

export const name = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(256),
  v.regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'printable text on one line'),
)

export const prose = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(4096),
  v.regex(/^(?:[^\p{C}\p{Zl}\p{Zp}]|\n)*$/u, 'printable text'),
)

export const digestText = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits'))
