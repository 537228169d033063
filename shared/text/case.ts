/** Names as people write them (snake_case keys, kebab-case flags) turned into the camelCase that the code uses. */

export type CamelCase<
  Name extends string,
  Separator extends string,
> = Name extends `${infer Head}${Separator}${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail, Separator>>}` : Name

/** `camelCase('outbox_max_bytes', '_')` is `outboxMaxBytes`. */
export function camelCase(name: string, separator: '_' | '-'): string {
  const [head = '', ...tail] = name.split(separator)
  return head + tail.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
