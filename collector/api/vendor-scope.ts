import { KeepsealError } from '../../shared/errors.ts'
import { isUeid } from '../../shared/evidence/identifiers.ts'
import { decisionsWithin } from '../decisions/decisions-within.ts'
import type { VendorScope } from '../model/scope.ts'
import type { Store } from '../store/index.ts'
import type { EndpointScope } from './endpoint.ts'
import type { ApiServices } from './services.ts'

/**
 * What an endpoint works with for this caller. It is the one place where the API binds somebody to a vendor: he gets a
 * store that holds nothing else, and what he names that is not his is not there. An endpoint that says nothing of
 * scopes is not for him. Errors: auth.forbidden, request.not-found.
 */
export async function servicesFor(
  services: ApiServices,
  scope: VendorScope | null,
  endpoint: EndpointScope,
  named: unknown,
): Promise<ApiServices> {
  if (scope === null || endpoint === 'common') return services
  if (endpoint !== 'own') throw new KeepsealError('auth.forbidden', `bound to ${scope.vendor}`)
  const store = services.store.within(scope)
  await assertOwn(store, named)
  return servicesWithin(services, scope, store)
}

/** Every service. One that is not `shared` or `narrowed` is nobody's who is bound: it may know all vendors. */
const SERVICES: Readonly<Record<keyof ApiServices, 'shared' | 'narrowed' | 'withheld'>> = {
  store: 'narrowed',
  decisions: 'narrowed',
  catalogue: 'shared',
  clock: 'shared',
  random: 'shared',
  version: 'shared',
  publicUrl: 'shared',
  plainPort: 'shared',
  bundleSigners: 'withheld',
  clockStep: 'shared',
  oidc: 'withheld',
  livenessTime: 'shared',
  keys: 'shared',
  readiness: 'withheld',
  logger: 'shared',
  metricsRegistry: 'withheld',
  statusPage: 'withheld',
  webDirectory: 'withheld',
  passwordCost: 'withheld',
  requestsPerMinute: 'withheld',
  liveLimits: 'withheld',
  conformityOf: 'shared',
  coverageOf: 'shared',
  fleetCoverage: 'shared',
  profileDocument: 'shared',
  deviceChanged: 'shared',
  judgeAgain: 'shared',
  decideAgain: 'withheld',
}

function servicesWithin(services: ApiServices, scope: VendorScope, store: Store): ApiServices {
  const shared = Object.entries(services).filter(([name]) => SERVICES[name as keyof ApiServices] === 'shared')
  const decisions = decisionsWithin(services.decisions, scope, store)
  return { ...(Object.fromEntries(shared) as unknown as ApiServices), store, decisions }
}

/** Texts in a request that are the id of a product or of a device. */
async function assertOwn(store: Store, named: unknown): Promise<void> {
  for (const text of new Set(textsIn(named))) {
    if (text.startsWith('prd_') && (await store.products.byId(text)) === undefined) {
      throw new KeepsealError('request.not-found', `product ${text}`)
    }
    if (isUeid(text) && (await store.devices.byUeid(text)) === undefined) {
      throw new KeepsealError('request.not-found', `device ${text}`)
    }
  }
}

/** Every text anywhere in a request, without recursion: its depth is the client's choice. */
function* textsIn(value: unknown): Generator<string> {
  const rest = [value]
  while (rest.length > 0) {
    const next = rest.pop()
    if (typeof next === 'string') yield next
    else if (typeof next === 'object' && next !== null) for (const each of Object.values(next)) rest.push(each)
  }
}
