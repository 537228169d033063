import { KeepsealError } from '../../shared/errors.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Labels } from '../model/labels.ts'
import {
  environmentKey,
  isInForce,
  labelsText,
  type Environment,
  type ProductConfiguration,
  type ProductStatement,
} from '../model/product-statement.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { Rulings } from './rulings.ts'

export interface NewStatement extends Pick<
  ProductStatement,
  'productId' | 'advisory' | 'package' | 'verdict' | 'justification' | 'reason' | 'expiresAt'
> {
  readonly releaseId: string | null
  readonly configurationId: string | null
  readonly groupId: string | null
  /** Null: those of the group, or whichever a device has. */
  readonly labels: Labels | null
}

interface By {
  readonly id: string
  readonly name: string
}

const YEAR_MS = 366 * 86_400_000
/** Of one product: each is looked at wherever its advisory is, and each environment is counted by itself. */
const MAX_IN_FORCE = 1000
const MAX_ENVIRONMENTS = 16

/** Errors: request.invalid, request.not-found, request.conflict; then nothing was said. */
export function stateForProduct(
  store: Store,
  wanted: NewStatement,
  { by, now, random }: { readonly by: By; readonly now: number; readonly random: RandomFunction },
): Promise<ProductStatement> {
  const { releaseId, configurationId, groupId, labels, ...rest } = wanted
  const { productId, verdict, justification, expiresAt } = rest
  if (expiresAt <= now || expiresAt > now + YEAR_MS) {
    throw new KeepsealError('request.invalid', 'expiresAt: a time within a year from now')
  }
  if ((verdict === 'not-affected') !== (justification !== null)) {
    throw new KeepsealError('request.invalid', 'justification: goes with not-affected, which needs one')
  }
  if (groupId !== null && labels !== null) throw new KeepsealError('request.invalid', 'a group or labels, not both')
  return store.transaction(async (transaction) => {
    const release = releaseId === null ? null : await releaseOf(transaction, productId, releaseId)
    const configuration =
      configurationId === null ? null : await configurationOf(transaction, productId, configurationId)
    const environment = await environmentOf(transaction, groupId, labels)
    const inForce = await transaction.productStatements.inForce(now, productId)
    assertRoom(inForce, environment, productId, now)
    const made: ProductStatement = {
      ...rest,
      id: makeId('exc', now, random),
      release: release && { id: release.id, name: release.name },
      configuration: configuration && { id: configuration.id, name: configuration.name },
      environment,
      createdAt: now,
      createdBy: by.id,
      createdByName: by.name,
      endedAt: null,
    }
    await transaction.productStatements.add(made)
    const scope = { package: rest.package, release: release?.name, configuration: configuration?.name }
    const detail = {
      statement: made.id,
      advisory: rest.advisory,
      verdict,
      ...Object.fromEntries(Object.entries(scope).filter(([, name]) => typeof name === 'string')),
      ...(environment === null ? {} : { environment: environment.name, labels: { ...environment.labels } }),
      reason: rest.reason,
      expiresAt: new Date(expiresAt).toISOString(),
    }
    const action = verdict === 'excluded' ? 'advisory.exclude' : 'advisory.state'
    await transaction.auditLog.append({ at: now, actor: by.id, action, subject: productId, detail })
    return made
  })
}

async function releaseOf(store: Store, productId: string, id: string) {
  const release = (await store.releases.ofProduct(productId)).find((each) => each.id === id)
  if (release === undefined) throw new KeepsealError('request.not-found', `release ${id} of this product`)
  return release
}

async function configurationOf(store: Store, productId: string, id: string): Promise<ProductConfiguration> {
  const found = await store.productConfigurations.byId(id)
  if (found?.productId !== productId) {
    throw new KeepsealError('request.not-found', `configuration ${id} of this product`, {
      remedy: 'keepseal advisory configuration list PRODUCT',
    })
  }
  return found
}

async function environmentOf(store: Store, groupId: string | null, labels: Labels | null): Promise<Environment | null> {
  if (labels !== null) {
    if (Object.keys(labels).length === 0) throw new KeepsealError('request.invalid', 'labels: at least one')
    return { groupId: null, name: labelsText(labels), labels }
  }
  if (groupId === null) return null
  const group = await store.deviceGroups.byId(groupId)
  if (group === undefined) throw new KeepsealError('request.not-found', `group ${groupId}`)
  return { groupId, name: group.name, labels: group.labels }
}

function assertRoom(
  inForce: readonly ProductStatement[],
  environment: Environment | null,
  productId: string,
  now: number,
): void {
  const known = new Set(new Rulings(inForce, now).environments(productId).map(environmentKey))
  if (environment !== null) known.add(environmentKey(environment.labels))
  if (inForce.length >= MAX_IN_FORCE || known.size > MAX_ENVIRONMENTS) {
    const most =
      inForce.length >= MAX_IN_FORCE ? `${MAX_IN_FORCE} statements` : `statements for ${MAX_ENVIRONMENTS} environments`
    throw new KeepsealError('request.conflict', `the product has ${most}`, {
      remedy: 'End those that are needed no more: keepseal advisory statements, keepseal advisory end ID',
    })
  }
}

/** Before its time. Errors: request.not-found, request.conflict where it is over already. */
export function endStatement(store: Store, id: string, by: By, now: number): Promise<ProductStatement> {
  return store.transaction(async (transaction) => {
    const said = await transaction.productStatements.byId(id)
    if (said === undefined) throw new KeepsealError('request.not-found', `statement ${id}`)
    if (!isInForce(said, now)) throw new KeepsealError('request.conflict', 'it is over')
    await transaction.productStatements.end(id, by.id, now)
    const entry = { at: now, actor: by.id, action: 'advisory.end', subject: said.productId }
    await transaction.auditLog.append({ ...entry, detail: { statement: id, advisory: said.advisory } })
    return { ...said, endedAt: now }
  })
}
