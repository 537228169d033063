import { useSignal } from '@preact/signals'
import { useResource } from '../core/resource.ts'
import { role } from '../core/session.ts'
import type { FleetDiff, Release, ReleaseChange } from '../core/types-more.ts'
import { dateTime, number, t, word } from '../i18n/text.ts'
import { Act } from '../parts/act.tsx'
import { LongTable } from '../parts/long-table.tsx'
import { Page } from '../parts/page.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'
import { standingTone } from './product.tsx'
import { RollOutBars } from './release-roll-out.tsx'

export function ReleasePage({ id }: { readonly id?: string }) {
  const path = `/releases/${id ?? ''}`
  const release = useResource<Release>(path)
  const { data } = release
  const siblings = useResource<{ items: readonly Release[] }>(
    data === undefined ? null : `/products/${data.productId}/releases`,
  )
  const before = siblings.data?.items.find((each) => each.state === 'active' && each.id !== id)
  const isKnown = data !== undefined && siblings.data !== undefined
  const diff = useResource<{ changes: readonly ReleaseChange[] }>(
    isKnown ? `${path}/diff${before === undefined ? '' : `?before=${before.id}`}` : null,
  )
  const fleet = useResource<FleetDiff>(isKnown && data.state !== 'revoked' ? `${path}/fleet-diff` : null)
  return (
    <Page
      title={data === undefined ? t('products.release') : `${t('products.release')} ${data.name}`}
      crumbs={[
        { href: '/products', text: t('nav.products') },
        ...(data === undefined ? [] : [{ href: `/products/${data.productId}`, text: t('fleet.product') }]),
      ]}
    >
      {release.error !== undefined && <ProblemBox error={release.error} retry={release.reload} />}
      {data === undefined && release.error === undefined && <Loading />}
      {data !== undefined && <State release={data} hasBefore={before !== undefined} reload={release.reload} />}
      {data !== undefined && data.activatedAt !== null && <RollOutBars releaseId={data.id} />}
      <section aria-labelledby="diff">
        <h2 id="diff">{before === undefined ? t('release.content') : t('release.diff', { name: before.name })}</h2>
        {diff.error !== undefined && <ProblemBox error={diff.error} />}
        {diff.data?.changes.length === 0 && <p>{t('release.noDiff')}</p>}
        {diff.data !== undefined && diff.data.changes.length > 0 && (
          <LongTable
            label={t('release.content')}
            rows={diff.data.changes}
            columns={[t('release.part'), t('table.subject'), t('release.before'), t('release.after')]}
            textOf={({ part, subject, before: was, after }) => `${part} ${subject} ${was} ${after}`}
            cells={({ part, subject, before: was, after }) => [
              part,
              <span class="code">{subject}</span>,
              <span class="code">{was ?? '–'}</span>,
              <span class="code">{after ?? '–'}</span>,
            ]}
          />
        )}
      </section>
      <section aria-labelledby="dry-run">
        <h2 id="dry-run">{t('release.dryRun')}</h2>
        <p class="hint">{t('release.dryRunHint')}</p>
        {fleet.data !== undefined && <DryRun diff={fleet.data} />}
      </section>
    </Page>
  )
}

function State({ release, hasBefore, reload }: { release: Release; hasBefore: boolean; reload: () => void }) {
  const path = `/releases/${release.id}`
  const until = useSignal('')
  const isMinimum = useSignal(false)
  const isFleet = role.value === 'vendor' || role.value === 'operator'
  const seen = () => ({ seen: release.seen })
  const activation = (dryRun: boolean) => () => ({
    ...(until.value !== '' && { acceptedUntil: new Date(until.value).toISOString() }),
    minimum: isMinimum.value,
    dryRun,
  })
  return (
    <section aria-label={t('table.state')}>
      <dl>
        <dt>{t('table.state')}</dt>
        <dd>
          {word('release', release.state)} ·{' '}
          <Status tone={standingTone(release.standing)}>{word('releaseStanding', release.standing)}</Status>
        </dd>
        <dt>{t('release.digest')}</dt>
        <dd class="code">{release.digest}</dd>
        <dt>{t('release.authors')}</dt>
        <dd>{release.authors.join(', ')}</dd>
        <dt>{t('release.approved')}</dt>
        <dd>{release.approved === null ? '–' : `${release.approved.by}, ${dateTime(release.approved.at)}`}</dd>
        <dt>{t('release.countersigned')}</dt>
        <dd>
          {release.countersigned === null ? '–' : `${release.countersigned.by}, ${dateTime(release.countersigned.at)}`}
        </dd>
        <dt>{t('products.devices')}</dt>
        <dd>{number(release.deviceCount)}</dd>
      </dl>
      <div class="acts">
        {isFleet && release.state === 'draft' && (
          <Act
            text={t('release.approve')}
            meaning={t('release.approve.hint')}
            path={`${path}/approve`}
            body={seen}
            onDone={reload}
            primary
          />
        )}
        {role.value === 'certifier' && release.state === 'approved' && release.countersigned === null && (
          <Act
            text={t('release.countersign')}
            meaning={t('release.countersign.hint')}
            path={`${path}/countersign`}
            body={seen}
            onDone={reload}
            primary
          />
        )}
      </div>
      {isFleet && release.state === 'approved' && (
        <form class="form" onSubmit={(event) => event.preventDefault()}>
          <h3>{t('release.activate')}</h3>
          {hasBefore && (
            <label>
              {t('release.until')}
              <input
                type="datetime-local"
                value={until.value}
                onInput={({ currentTarget }) => (until.value = currentTarget.value)}
              />
            </label>
          )}
          <label class="check">
            <input
              type="checkbox"
              checked={isMinimum.value}
              onChange={({ currentTarget }) => (isMinimum.value = currentTarget.checked)}
            />{' '}
            {t('release.minimum')}
          </label>
          <div class="acts">
            <Act
              text={t('release.try')}
              meaning={t('release.try.hint')}
              path={`${path}/activate`}
              body={activation(true)}
              onDone={() => undefined}
            />
            <Act
              text={t('release.activate')}
              meaning={t('release.activate.hint')}
              path={`${path}/activate`}
              body={activation(false)}
              onDone={reload}
              primary
            />
          </div>
        </form>
      )}
    </section>
  )
}

const DryRun = ({ diff }: { readonly diff: FleetDiff }) => (
  <>
    <ul class="plain">
      {diff.verdicts.map(({ before, after, devices }) => (
        <li key={`${before} ${after}`}>
          {number(devices)}: {word('verdict', before)} → {word('verdict', after)}
        </li>
      ))}
      {diff.unknown > 0 && (
        <li>
          {number(diff.unknown)}: {t('release.unknown')}
        </li>
      )}
    </ul>
    {(['opens', 'closes'] as const).map(
      (which) =>
        diff[which].length > 0 && (
          <details key={which}>
            <summary>{t(`release.${which}`, { n: diff[which].length })}</summary>
            <LongTable
              label={t(`release.${which}`, { n: diff[which].length })}
              rows={diff[which]}
              columns={[t('products.finding'), t('table.subject'), t('products.devices')]}
              textOf={({ code, subject }) => `${code} ${subject}`}
              cells={({ code, subject, devices, example }) => [
                <span class="code">{code}</span>,
                <span class="code">{subject}</span>,
                <a href={`/devices/${example}`}>{number(devices)}</a>,
              ]}
            />
          </details>
        ),
    )}
  </>
)
