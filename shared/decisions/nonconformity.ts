import * as v from 'valibot'
import { PRACTICE_IDS, type PracticeId } from '../maturity/practices.ts'
import { defineGuarded, type Guard } from './guarded.ts'
import { longText, seconds, shortText, type DecisionKind } from './kind.ts'
import type { Register } from './register.ts'

/** The subject of both is the id of the product. */
const confirmSchema = v.strictObject({
  practice: v.picklist(PRACTICE_IDS),
  /** VENDOR/MODEL, for whoever reads the log without the collector's database. */
  product: shortText,
  /** What is confirmed: that of which the collector has computed it. */
  status: v.literal('drift'),
  /** Seconds since 1970: since when the practice is of that status. */
  since: seconds,
  reason: longText,
})
const withdrawSchema = v.strictObject({ practice: v.picklist(PRACTICE_IDS), reason: longText })

export type ConfirmDetail = v.InferOutput<typeof confirmSchema>
type WithdrawDetail = v.InferOutput<typeof withdrawSchema>

/** That the drift of one practice of one product is a nonconformity: no computation says so. */
export interface Nonconformity extends ConfirmDetail {
  readonly productId: string
  readonly by: string
  readonly byName: string
  /** Seconds since 1970. */
  readonly at: number
  /** Then the practice is again as it is computed. */
  readonly withdrawn: { readonly reason: string; readonly by: string; readonly at: number } | null
}

const keyOf = (productId: string, practice: PracticeId): string => `${productId} ${practice}`

/** The one that stands; undefined where none was confirmed, or the newest was withdrawn. */
export function standingNonconformity(
  { nonconformities }: Pick<Register, 'nonconformities'>,
  productId: string,
  practice: PracticeId,
): Nonconformity | undefined {
  const found = nonconformities.get(keyOf(productId, practice))
  return found?.withdrawn === null ? found : undefined
}

type Standing = Nonconformity | undefined

const notYet: Guard<Standing, ConfirmDetail> = {
  code: 'nonconformity.confirmed-already',
  wants: 'it is not confirmed yet',
  breach: (standing) => standing && `${standing.byName} has confirmed it`,
}
const confirmed: Guard<Standing, WithdrawDetail> = {
  code: 'nonconformity.not-confirmed',
  wants: 'it is confirmed',
  breach: (standing, { subject, detail: { practice } }) => (standing ? undefined : `${practice} of ${subject}`),
}

export const nonconformityKinds = {
  'nonconformity.confirm': defineGuarded({
    title: 'The certifier confirms that a drift is a nonconformity',
    roles: ['certifier'],
    schema: confirmSchema,
    subject: (register, { subject, detail }) => standingNonconformity(register, subject, detail.practice),
    guards: [notYet],
    conclude: ({ nonconformities }, _, { author, at, subject, detail }) => {
      const made = { ...detail, productId: subject, by: author.id, byName: author.name, at, withdrawn: null }
      nonconformities.set(keyOf(subject, detail.practice), made)
    },
  }) satisfies DecisionKind<ConfirmDetail>,

  'nonconformity.withdraw': defineGuarded({
    title: 'The certifier takes back that a drift is a nonconformity',
    roles: ['certifier'],
    schema: withdrawSchema,
    subject: (register, { subject, detail }) => standingNonconformity(register, subject, detail.practice),
    guards: [confirmed],
    conclude: ({ nonconformities }, standing, { author, at, subject, detail: { practice, reason } }) => {
      if (standing === undefined) return
      nonconformities.set(keyOf(subject, practice), { ...standing, withdrawn: { reason, by: author.id, at } })
    },
  }) satisfies DecisionKind<WithdrawDetail>,
}
