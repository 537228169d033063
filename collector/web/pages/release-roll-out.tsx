import { useResource } from '../core/resource.ts'
import type { RollOut } from '../core/types-face.ts'
import { date, number, t } from '../i18n/text.ts'
import { rollOutBars } from '../model/roll-out.ts'
import { ProblemBox } from '../parts/problem.tsx'

const BOX = { width: 600, height: 90 }

/** How a release has come to the fleet: a bar a day, and the same as a table. */
export function RollOutBars({ releaseId }: { readonly releaseId: string }) {
  const { data, error } = useResource<RollOut>(`/releases/${releaseId}/roll-out`, () => true)
  const bars = data === undefined ? [] : rollOutBars(data, BOX)
  return (
    <section aria-labelledby="roll-out">
      <h2 id="roll-out">{t('rollOut.title')}</h2>
      {error !== undefined && <ProblemBox error={error} />}
      {data !== undefined && bars.length === 0 && <p>{t('rollOut.none')}</p>}
      {bars.length > 0 && (
        <>
          <p class="hint">{t('rollOut.hint')}</p>
          <svg class="bars" viewBox={`0 0 ${BOX.width} ${BOX.height}`} role="img" aria-label={t('rollOut.title')}>
            {bars.map(({ day, total, x, y, width, height }) => (
              <rect key={day} x={x} y={y} width={width} height={height}>
                <title>{`${date(day)}: ${number(total)}`}</title>
              </rect>
            ))}
          </svg>
          <details>
            <summary>{t('app.show')}</summary>
            <div class="table" tabIndex={0} role="region" aria-label={t('rollOut.title')}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('rollOut.day')}</th>
                    <th scope="col">{t('rollOut.arrived')}</th>
                    <th scope="col">{t('rollOut.total')}</th>
                  </tr>
                </thead>
                <tbody>
                  {data?.days.map(({ day, arrived, total }) => (
                    <tr key={day}>
                      <td>{date(day)}</td>
                      <td>{number(arrived)}</td>
                      <td>{number(total)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  )
}
