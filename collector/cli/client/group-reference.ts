import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ApiClient } from './api.ts'

export const Group = v.looseObject({ id: v.string(), name: v.string(), labels: v.record(v.string(), v.string()) })

const MAX_GROUPS = 10_000

/** The id of the group that a person means: by its id or its name. Error: request.not-found. */
export async function groupIdOf(client: ApiClient, reference: string): Promise<string> {
  if (/^grp_[0-9a-f-]+$/.test(reference)) return reference
  const { items } = await client.list('/device-groups', {}, Group, MAX_GROUPS)
  const match = items.find(({ name }) => name === reference)
  if (match !== undefined) return match.id
  throw new KeepsealError('request.not-found', `group ${reference}`, { remedy: 'keepseal group list' })
}

/** `key=value` words as a map. Error: usage.invalid. */
export function labelsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw new KeepsealError('usage.invalid', `${word} is no KEY=VALUE`)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}
