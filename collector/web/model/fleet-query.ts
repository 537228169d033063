import { DEVICE_STANDINGS } from '../../../shared/result/standing.ts'
import type { Standing } from '../core/types.ts'

/** What the fleet's list is asked for: it is all in the address. */
export interface FleetQuery {
  readonly standing: Standing | undefined
  readonly productId: string | undefined
  readonly coverage: 'covered' | 'not-covered' | undefined
  readonly q: string
}

const isStanding = (text: string | null): text is Standing =>
  (DEVICE_STANDINGS as readonly (string | null)[]).includes(text)

/** An address is what anybody may have typed: what is nothing that can be asked for is left out. */
export function readFleetQuery(query: URLSearchParams): FleetQuery {
  const [standing, coverage, product] = [query.get('standing'), query.get('coverage'), query.get('product')]
  return {
    standing: isStanding(standing) ? standing : undefined,
    productId: product !== null && /^prd_[0-9a-f-]{36}$/.test(product) ? product : undefined,
    coverage: coverage === 'covered' || coverage === 'not-covered' ? coverage : undefined,
    q: (query.get('q') ?? '').slice(0, 64),
  }
}

export const isFiltered = ({ standing, productId, coverage, q }: FleetQuery): boolean =>
  standing !== undefined || productId !== undefined || coverage !== undefined || q !== ''
