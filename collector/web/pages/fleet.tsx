import { location } from '../core/router.ts'
import { useResource } from '../core/resource.ts'
import type { Fleet } from '../core/types.ts'
import { t } from '../i18n/text.ts'
import { readFleetQuery } from '../model/fleet-query.ts'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Changes, Rollout } from './fleet-changes.tsx'
import { FleetFilters, FleetListView } from './fleet-list.tsx'
import { Tiles } from './fleet-tiles.tsx'

/** What must be acted on now. */
export function FleetPage() {
  const { data: fleet, error, reload } = useResource<Fleet>('/fleet', () => true)
  const query = readFleetQuery(location.value.query)
  if (fleet === undefined) {
    return (
      <Page title={t('fleet.title')}>
        {error === undefined ? <Loading /> : <ProblemBox error={error} retry={reload} />}
      </Page>
    )
  }
  return (
    <Page title={t('fleet.title')}>
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      <p class="first" data-testid="first-line">
        {t('fleet.first', { good: fleet.good, all: fleet.deviceCount, tpm: fleet.goodWithCertifiedTpm })}
      </p>
      <p class="hint">{t('fleet.firstHint')}</p>
      {fleet.products.length === 0 ? (
        <section class="empty">
          <h2>{t('fleet.empty')}</h2>
          <p>{t('fleet.emptyHint')}</p>
          <Command text="keepseal token create --product VENDOR/MODEL" />
        </section>
      ) : (
        <>
          <Tiles fleet={fleet} query={query} />
          <div class="beside">
            <Changes fleet={fleet} />
            <Rollout fleet={fleet} />
          </div>
          <section aria-labelledby="fleet-list">
            <h2 id="fleet-list">{t('fleet.list')}</h2>
            <FleetFilters fleet={fleet} query={query} />
            <FleetListView query={query} />
          </section>
        </>
      )}
    </Page>
  )
}
