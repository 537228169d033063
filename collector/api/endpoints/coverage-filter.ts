import * as v from 'valibot'
import { COVERAGE_REASONS, type Coverage } from '../../../shared/decisions/coverage.ts'
import type { AlikeDevices } from '../../store/devices.ts'
import type { ApiServices } from '../services.ts'
import { coveredFleet } from './coverage.ts'
import type { DeviceQuery } from './device-selector.ts'

/** Covered or not, or one reason for which a device is not. */
export const CoverageAsked = v.picklist(['covered', 'not-covered', ...COVERAGE_REASONS])
type CoverageAsked = v.InferOutput<typeof CoverageAsked>

export const isOfCoverage = ({ coverage, reason }: Coverage, asked: CoverageAsked): boolean =>
  asked === coverage || asked === reason

/** As many alternatives as one statement takes. */
const MAX_GROUPS = 200

/**
 * The ways in which active devices of this coverage are alike, so that the database finds them. undefined: they have to
 * be looked at one by one, because they are alike in too many ways, or others than active ones are asked for.
 */
export async function alikeIn(
  services: Pick<ApiServices, 'store' | 'decisions' | 'fleetCoverage' | 'clock'>,
  { productId, enrolment = 'active' }: Pick<DeviceQuery, 'productId' | 'enrolment'>,
  asked: CoverageAsked,
): Promise<readonly AlikeDevices[] | undefined> {
  if (enrolment !== 'active') return undefined
  const fleet = await coveredFleet(services, productId)
  const alike = fleet.flatMap(({ product, groups }) =>
    groups
      .filter(({ coverage }) => isOfCoverage(coverage, asked))
      .map(({ hardwareRevision, releaseId, isFailing }) => ({
        productId: product.id,
        hardwareRevision,
        releaseId,
        isFailing,
      })),
  )
  return alike.length > MAX_GROUPS ? undefined : alike
}
