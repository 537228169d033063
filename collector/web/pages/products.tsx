import { useResource } from '../core/resource.ts'
import type { Fleet, Page as ListPage } from '../core/types.ts'
import type { Product } from '../core/types-more.ts'
import { number, t } from '../i18n/text.ts'
import { Page } from '../parts/page.tsx'
import { Command, Loading, ProblemBox } from '../parts/problem.tsx'
import { Status } from '../parts/status.tsx'

export function ProductsPage() {
  const products = useResource<ListPage<Product>>('/products?limit=200')
  const fleet = useResource<Fleet>('/fleet', () => true)
  const counts = new Map(fleet.data?.products.map((each) => [each.productId, each.standings]))
  return (
    <Page title={t('nav.products')}>
      {products.error !== undefined && <ProblemBox error={products.error} retry={products.reload} />}
      {products.data === undefined && products.error === undefined && <Loading />}
      {products.data?.items.length === 0 && (
        <>
          <p>{t('products.empty')}</p>
          <Command text="keepseal product create --vendor VENDOR --model MODEL" />
        </>
      )}
      {products.data !== undefined && products.data.items.length > 0 && (
        <div class="table">
          <table>
            <thead>
              <tr>
                <th scope="col">{t('fleet.product')}</th>
                <th scope="col">{t('products.certified')}</th>
                <th scope="col">{t('standing.good')}</th>
                <th scope="col">{t('standing.failed')}</th>
                <th scope="col">{t('standing.drifted')}</th>
                <th scope="col">{t('practices.title')}</th>
              </tr>
            </thead>
            <tbody>
              {products.data.items.map(({ id, vendor, model, isCertified }) => {
                const standings = counts.get(id)
                return (
                  <tr key={id}>
                    <td>
                      <a href={`/products/${id}`}>{model}</a> <span class="quiet">{vendor}</span>
                    </td>
                    <td>
                      <Status tone={isCertified ? 'good' : 'quiet'}>
                        {isCertified ? t('products.isCertified') : t('products.notCertified')}
                      </Status>
                    </td>
                    <td>{number(standings?.good ?? 0)}</td>
                    <td class={(standings?.failed ?? 0) > 0 ? 'bad' : ''}>{number(standings?.failed ?? 0)}</td>
                    <td class={(standings?.drifted ?? 0) > 0 ? 'warn' : ''}>{number(standings?.drifted ?? 0)}</td>
                    <td>
                      <a href={`/products/${id}/practices`}>{t('app.show')}</a>
                      <span class="hidden"> {model}</span>
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
    </Page>
  )
}
