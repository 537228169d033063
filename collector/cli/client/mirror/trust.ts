import { equal, fromHex } from '../../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import {
  keysAfter,
  keysAfterThumbprint,
  type KeyChain,
  type KeyHistory,
} from '../../../../shared/evidence/key-history.ts'
import { collectorKeyOf } from '../../../trust/succession.ts'
import type { ApiClient } from '../api.ts'
import { keyIdOf, toldKeys } from '../collector-key.ts'
import { followedStatements, keepFollowed, pin, pinnedKey } from './directory.ts'

/** Which keys of the collector a mirror trusts, and whether that is more than before. */
export interface Trusted {
  readonly chain: KeyChain
  readonly followed: boolean
}

/**
 * Follows the collector from the key that the mirror has pinned to the one that it has now, and keeps where that led before
 * anything is taken by it. Without a mirror the wanted key is pinned, else the one that is told. Errors:
 * mirror.collector-changed where no statement leads to the key that is told.
 */
export async function follow(client: ApiClient, directory: string, wanted: string | undefined): Promise<Trusted> {
  const pinned = pinnedKey(directory)?.x
  if (pinned !== undefined) assertWanted(pinned, wanted)
  const { x: told, history } = await toldKeys(client)
  const before = pinned === undefined ? [] : followedStatements(directory)
  const chain =
    pinned === undefined
      ? begin(told, history, wanted)
      : keysAfter(pinned, [...before, ...history.statements], collectorKeyOf)
  const { keys, newest, statements } = chain
  const { x: first } = chain.first
  if (!equal(newest.x, told)) {
    const isFormer = keys.some(({ x }) => equal(x, told))
    throw changed(
      keyIdOf(told),
      isFormer ? `it was followed by ${keyIdOf(newest.x)}` : `${keyIdOf(newest.x)} is wanted`,
    )
  }
  if (pinned === undefined) pin(directory, { curve: 'Ed25519', x: first })
  const followed = keys.length > keysAfter(first, before, collectorKeyOf).keys.length
  if (followed) keepFollowed(directory, first, statements)
  return { chain, followed }
}

/** The keys of a mirror, without asking anybody. Errors: file.unreadable, mirror.collector-changed. */
export function trustedBefore(directory: string, wanted: string | undefined): KeyChain {
  const pinned = pinnedKey(directory)
  if (pinned === undefined) throw new KeepsealError('file.unreadable', `${directory} holds no mirror`)
  assertWanted(pinned.x, wanted)
  return keysAfter(pinned.x, followedStatements(directory), collectorKeyOf)
}

function begin(told: Uint8Array, history: KeyHistory, wanted: string | undefined): KeyChain {
  if (wanted === undefined || wanted === keyIdOf(told)) return keysAfter(told, [], collectorKeyOf)
  const chain = /^[0-9a-f]{64}$/.test(wanted) && keysAfterThumbprint(fromHex(wanted), history, collectorKeyOf)
  if (!chain) throw changed(keyIdOf(told), `${wanted} is wanted`)
  return chain
}

/** A later key says nothing about pages that an earlier one has signed: wanted is the one that the mirror began with. */
function assertWanted(pinned: Uint8Array, wanted: string | undefined): void {
  const keyId = keyIdOf(pinned)
  if (wanted !== undefined && wanted !== keyId) throw changed(keyId, `${wanted} is wanted`)
}

const changed = (keyId: string, why: string): KeepsealError =>
  new KeepsealError('mirror.collector-changed', `key ${keyId}, and ${why}`)
