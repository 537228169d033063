import type { Fleet } from '../core/types.ts'
import { number, t } from '../i18n/text.ts'
import type { FleetQuery } from '../model/fleet-query.ts'
import { TILES, tileCount, toneOf, type Tile } from '../model/standing.ts'
import { Sign } from '../parts/status.tsx'

const isChosen = (tile: Tile, { standing, coverage }: FleetQuery): boolean =>
  tile === 'not-covered' ? coverage === 'not-covered' : standing === tile

/** A second click on the same one shows all again. */
const hrefOf = (tile: Tile, query: FleetQuery): string => {
  if (isChosen(tile, query)) return '/'
  return tile === 'not-covered' ? '/?coverage=not-covered' : `/?standing=${tile}`
}

export const Tiles = ({ fleet, query }: { readonly fleet: Fleet; readonly query: FleetQuery }) => (
  <nav class="tiles" aria-label={t('fleet.standings')}>
    {TILES.map((tile) => {
      const count = tileCount(fleet, tile)
      const tone = count === 0 ? 'zero' : toneOf(tile)
      return (
        <a
          key={tile}
          class={`tile ${tone}`}
          href={hrefOf(tile, query)}
          title={t(`standing.${tile}.hint`)}
          {...(isChosen(tile, query) && { 'aria-current': 'true' as const })}
        >
          <span class="number">{number(count)}</span>
          <span class="name">
            <Sign tone={toneOf(tile)} /> {t(`standing.${tile}`)}
          </span>
        </a>
      )
    })}
  </nav>
)
