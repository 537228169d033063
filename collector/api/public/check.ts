import type { CertificateStatus } from '../../../shared/certificate/status.ts'
import { vendorOf } from '../../../shared/decisions/products.ts'
import { CoverageReader } from '../../decisions/coverage.ts'
import type { ApiServices } from '../services.ts'
import { toTime } from '../schemas.ts'
import { shownState } from './shown-state.ts'

/** Whether one unit is covered, for its buyer: nothing of its state, and the same answer for units that do not exist. */
export async function checkCoverage(
  { store, decisions, clock }: ApiServices,
  id: string,
  status: CertificateStatus,
  { model, serial }: { readonly model: string; readonly serial: string },
) {
  const { body, issuedAt, expiresAt } = status
  const reader = new CoverageReader(store, decisions)
  let covered = false
  for (const { product } of body.products) {
    if (product !== model && product !== `${vendorOf(product)}/${model}`) continue
    const vendor = vendorOf(product)
    const owner = await store.products.byVendorModel(vendor, product.slice(vendor.length + 1))
    if (owner === undefined) continue
    for (const { device, state } of await store.devices.bySerial(owner.id, serial)) {
      const found = await reader.of(device, state, clock())
      covered ||= found.coverage === 'covered' && found.certificate === id
    }
  }
  return {
    certificate: id,
    number: body.number,
    coverage: covered ? 'covered' : 'not-covered',
    state: shownState(status, Math.floor(clock() / 1000)).word,
    profile: body.profile,
    asOf: toTime(issuedAt * 1000),
    believeUntil: toTime(expiresAt * 1000),
  }
}
