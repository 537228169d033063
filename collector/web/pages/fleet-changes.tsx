import type { Fleet } from '../core/types.ts'
import { number, percent, t, word } from '../i18n/text.ts'
import { axisTone } from '../model/standing.ts'
import { Sign, Status } from '../parts/status.tsx'
import { Ago } from '../parts/time.tsx'

export function Changes({ fleet: { changes } }: { readonly fleet: Fleet }) {
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">{t('fleet.changes')}</h2>
      {changes.newest.length === 0 ? (
        <p>{t('fleet.changes.none')}</p>
      ) : (
        <>
          <p class="counts">
            {changes.counts.map(({ axis, to, count }) => (
              <Status key={`${axis} ${to}`} tone={axisTone(to)}>
                {word(axis, to)} {number(count)}
              </Status>
            ))}
          </p>
          {changes.truncated && <p class="hint">{t('fleet.changes.truncated')}</p>}
          <ul class="plain">
            {changes.newest.slice(0, 6).map(({ ueid, serial, at, axis, to }) => (
              <li key={`${ueid} ${at} ${axis}`}>
                <Sign tone={axisTone(to)} /> <a href={`/devices/${ueid}`}>{serial === '' ? ueid : serial}</a>{' '}
                {word('axis', axis)}: {word(axis, to)} <Ago at={at} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

/** How far releases have come, for each product. */
export function Rollout({ fleet: { products } }: { readonly fleet: Fleet }) {
  return (
    <section aria-labelledby="rollout">
      <h2 id="rollout">{t('fleet.rollout')}</h2>
      <ul class="plain">
        {products.slice(0, 8).map(({ productId, model, releases }) => {
          const all = releases.reduce((sum, { deviceCount }) => sum + deviceCount, 0)
          return (
            <li key={productId} class="rollout">
              <a href={`/products/${productId}`}>{model}</a>
              {releases.slice(0, 4).map(({ id, name, deviceCount }) => (
                <span key={id} class="part">
                  <span class="name">{name ?? t('fleet.noRelease')}</span>
                  <progress max={Math.max(all, 1)} value={deviceCount} aria-label={name ?? t('fleet.noRelease')} />
                  <span class="share">
                    {number(deviceCount)} · {percent(deviceCount, all)}
                  </span>
                </span>
              ))}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
