import * as v from 'valibot'

/** A name that people and logs will see: no control or invisible characters. */
export const printableName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(128),
  v.regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'printable text'),
)
