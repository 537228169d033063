import { fromHex } from '../../../shared/bytes/bytes.ts'
import { isInForce } from '../../../shared/decisions/certificate.ts'
import { DAY } from '../../../shared/decisions/kind.ts'
import { nextReviewDue } from '../../../shared/decisions/profile-review.ts'
import { approvedOf } from '../../../shared/decisions/profile.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { decodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import type { Store } from '../../store/index.ts'
import { dayText, type Reminder } from './reminder.ts'

/** How long before a review people are told; where reviews are close to each other, a quarter of the time between. */
const SOON_SECONDS = 30 * DAY

/** How often each profile is to be reviewed, by its id: the approved document of each says so. */
export async function reviewIntervals(
  { profiles }: Register,
  { profileDocuments }: Pick<Store, 'profileDocuments'>,
): Promise<ReadonlyMap<string, number>> {
  const days = new Map<string, number>()
  for (const [id, versions] of profiles) {
    const approved = approvedOf(versions)
    // A version that was entered before documents were kept has none: nothing says when it is due.
    const bytes = approved && (await profileDocuments.byDigest(fromHex(approved.digest)))
    if (bytes !== undefined) days.set(id, decodeProfile(bytes).review.everyDays)
  }
  return days
}

/** Profiles that are to be reviewed soon, or should have been. `at`: seconds since 1970. */
export function reviewReminders(
  register: Register,
  intervals: ReadonlyMap<string, number>,
  at: number,
): readonly Reminder[] {
  return [...intervals].flatMap(([id, everyDays]) => {
    const due = nextReviewDue(register.profiles.get(id), register.profileReviews.get(id), everyDays)
    if (due === null || at < due - Math.min(SOON_SECONDS, (everyDays * DAY) / 4)) return []
    const told =
      at < due
        ? ({ stage: 1, severity: 'medium', text: `the profile ${id} is to be reviewed by ${dayText(due)}` } as const)
        : ({
            stage: 2,
            severity: 'high',
            text: `the review of the profile ${id} is overdue since ${dayText(due)}`,
          } as const)
    const products = productsOf(register, id)
    return [{ kind: 'review.due', date: `review ${id} ${due}`, subject: id, products, ...told }]
  })
}

function productsOf({ certificates }: Register, profile: string): readonly string[] {
  const users = [...certificates.values()].filter((each) => each.profile.id === profile && isInForce(each))
  return [...new Set(users.flatMap(({ products }) => products.map(({ product }) => product)))]
}
