import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { withQuery } from '../core/api.ts'
import { setQuery } from '../core/router.ts'
import { useRows } from '../core/rows.ts'
import { DEVICE_STANDINGS } from '../../../shared/result/standing.ts'
import type { Device, Fleet } from '../core/types.ts'
import { codeTitle, count, t, word } from '../i18n/text.ts'
import { isFiltered, type FleetQuery } from '../model/fleet-query.ts'
import { axisTone, standingOf, toneOf } from '../model/standing.ts'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { Ago } from '../parts/time.tsx'
import { useIsNarrow, useShownRows, VirtualList } from '../parts/virtual.tsx'

const TYPING_MS = 250

export function FleetFilters({ fleet, query }: { readonly fleet: Fleet; readonly query: FleetQuery }) {
  const typed = useSignal(query.q)
  useEffect(() => {
    const timer = window.setTimeout(() => {
      if (typed.value !== query.q) setQuery({ q: typed.value })
    }, TYPING_MS)
    return () => window.clearTimeout(timer)
  }, [typed.value])
  useEffect(() => {
    typed.value = query.q
  }, [query.q])
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="wide">
        {t('fleet.search')}
        <input
          type="search"
          value={typed.value}
          placeholder={t('fleet.searchHint')}
          maxLength={64}
          onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
        />
      </label>
      <label>
        {t('fleet.standing')}
        <select
          value={query.standing ?? ''}
          onChange={({ currentTarget }) => setQuery({ standing: currentTarget.value })}
        >
          <option value="">{t('app.all')}</option>
          {DEVICE_STANDINGS.map((each) => (
            <option key={each} value={each}>
              {t(`standing.${each}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('fleet.product')}
        <select
          value={query.productId ?? ''}
          onChange={({ currentTarget }) => setQuery({ product: currentTarget.value })}
        >
          <option value="">{t('app.all')}</option>
          {fleet.products.map(({ productId, model }) => (
            <option key={productId} value={productId}>
              {model}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t('fleet.coverage')}
        <select
          value={query.coverage ?? ''}
          onChange={({ currentTarget }) => setQuery({ coverage: currentTarget.value })}
        >
          <option value="">{t('app.all')}</option>
          <option value="covered">{t('coverage.covered')}</option>
          <option value="not-covered">{t('coverage.not-covered')}</option>
        </select>
      </label>
    </form>
  )
}

const ROW = 44
const NARROW_ROW = 84

export function FleetListView({ query }: { readonly query: FleetQuery }) {
  const { standing, productId, coverage, q } = query
  const path = withQuery('/fleet/devices', { standing, productId, coverage, q })
  const total = useSignal(0)
  const rowHeight = useIsNarrow() ? NARROW_ROW : ROW
  const { list, shown } = useShownRows(total.value, rowHeight)
  const rows = useRows(path, shown)
  useEffect(() => {
    if (rows.total !== undefined) total.value = rows.total
  }, [rows.total])
  if (rows.error !== undefined) return <ProblemBox error={rows.error} retry={rows.retry} />
  if (rows.total === undefined) return <Loading />
  if (rows.total === 0) {
    return (
      <p>
        {t('fleet.nothing')} {isFiltered(query) && <a href="/">{t('fleet.clear')}</a>}
      </p>
    )
  }
  return (
    <>
      <p class="hint" role="status">
        {count('fleet.found', rows.total)} {isFiltered(query) && <a href="/">{t('fleet.clear')}</a>}
      </p>
      <div class="row head" aria-hidden="true">
        <span>{t('fleet.standing')}</span>
        <span>{t('fleet.column.device')}</span>
        <span>{t('fleet.column.why')}</span>
        <span>{t('fleet.column.identity')}</span>
        <span>{t('fleet.column.coverage')}</span>
        <span>{t('fleet.column.seen')}</span>
      </div>
      <VirtualList
        listRef={list}
        shown={shown}
        total={rows.total}
        rowHeight={rowHeight}
        label={t('fleet.list')}
        row={(index) => <Row device={rows.at(index)} />}
      />
    </>
  )
}

function Row({ device }: { readonly device: Device | undefined }) {
  if (device === undefined) return <span class="row waiting">…</span>
  const standing = standingOf(device)
  const why =
    device.verdictTitle !== null
      ? codeTitle(device.verdictCode, device.verdictTitle)
      : standing === 'good'
        ? ''
        : t(`standing.${standing}.hint`)
  return (
    <a class="row" href={`/devices/${device.ueid}`}>
      <Status tone={toneOf(standing)}>{t(`standing.${standing}`)}</Status>
      <span class="device">
        <strong>{device.serial === '' ? device.ueid : device.serial}</strong> <span class="quiet">{device.model}</span>
      </span>
      <span class="why">
        {why}
        {device.findingCount > 0 && <span class="quiet"> · {count('fleet.findings', device.findingCount)}</span>}
      </span>
      <span>{word('identity', device.identity)}</span>
      <Status tone={axisTone(device.coverage)}>{word('coverage', device.coverage)}</Status>
      <span class="seen">{device.lastFreshAt === null ? t('fleet.never') : <Ago at={device.lastFreshAt} />}</span>
    </a>
  )
}
