import { join } from 'node:path'
import { expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { addAdvisories, importFeed } from '../../../collector/advisories/import.ts'
import { openStore } from '../../../collector/store/index.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { expectAccessible, takeScreenshots } from '../../support/browser.ts'
import { productStatement } from '../../support/product-statement.ts'
import { describePages } from '../../support/web-suite.ts'

const DAY = 86_400_000

describePages('the pages about vulnerabilities', (suite) => {
  it('show the command to type where no advisory is known', async () => {
    const page = await suite.open(`/products/${suite.site.productId}/vulnerabilities`)
    await page.waitForSelector('[data-testid=nothing]')
    expect(await page.textContent('main .command')).toContain('keepseal advisory import')
    await expectAccessible(page)
    await takeScreenshots(page, 'vulnerabilities-empty')
  })

  it('show what to ship next, exposure by day, and each advisory with why', async () => {
    const { store, close } = await openStore({ path: join(suite.site.directory, 'data', 'collector.db') })
    const now = Date.now()
    await computeExposures(store)
    const [group] = await store.exposedDevices.groups(suite.site.productId)
    const found = await store.exposures.inventory(group?.inventory ?? 0)
    const { ecosystem, packages } = found?.inventory ?? { ecosystem: null, packages: [] }
    const [first, second] = packages
    if (first === undefined || second === undefined || ecosystem === null) throw new Error('no packages')
    const osv = (id: string, name: string, severity: string, fixed: string) => ({
      id,
      published: new Date(now - 40 * DAY).toISOString(),
      modified: new Date(now - 40 * DAY).toISOString(),
      aliases: [`CVE-2026-${id.slice(-4)}`],
      summary: 'a buffer is read beyond its end <b>when</b> a message is short',
      database_specific: { severity },
      affected: [
        {
          package: { ecosystem: `${ecosystem.name}:${ecosystem.release}`, name },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
        },
      ],
    })
    const records = [
      osv('DSA-1000', first.source, 'critical', '999:1-1'),
      osv('DSA-1001', first.source, 'high', '999:1-2'),
      osv('DSA-1002', second.source, 'low', '999:2-1'),
      osv('DSA-1003', second.source, 'medium', '999:2-2'),
    ].flatMap((each) => parseAdvisories(each))
    await addAdvisories(store, 'own', 'own', records, now)
    const facts = [{ cve: 'CVE-2026-1002', addedAt: now, dueAt: null }]
    await importFeed(store, { feed: 'kev', authority: 'other', batches: [{ facts }] }, () => now)
    await computeExposures(store)
    for (const [advisory, patchedAt] of [
      ['DSA-1000', null],
      ['DSA-0001', now - 10 * DAY],
    ] as const) {
      const at = { publishedAt: now - 40 * DAY, knownAt: now - 40 * DAY, exposedAt: now - 30 * DAY, fixKnownAt: null }
      await store.trackedAdvisories.save(suite.site.productId, {
        advisory,
        severity: 'critical',
        exploited: false,
        patchedAt,
        isSettled: false,
        ...at,
      })
    }
    const until = { createdAt: now, expiresAt: now + 30 * DAY }
    await store.productStatements.add(productStatement(suite.site.productId, 'DSA-1003', until))
    // Of no device that is here: it is for those alone, and the pages show it as it is.
    const elsewhere = { groupId: null, name: 'site=lab', labels: { site: 'lab' } }
    await store.productStatements.add(
      productStatement(suite.site.productId, 'DSA-1001', { ...until, environment: elsewhere }),
    )
    await close()

    const page = await suite.open(`/products/${suite.site.productId}/vulnerabilities`)
    await page.waitForSelector('.updates li')
    const updates = await page.$$eval('.updates li', (all) => all.map((each) => each.textContent))
    // What is used in attacks comes before what is only rated as worse.
    expect(updates[0]).toContain(`${second.source} 999:2-1`)
    expect(updates[1]).toContain(`${first.source} 999:1-2`)
    expect(updates[1]).toContain('Settles 2 of them')
    expect(await page.textContent('figure figcaption')).toMatch(/now 1, of which 1 critical or high/)
    expect(await page.textContent('#advisories ~ .table')).toContain('Excluded until')
    await expectAccessible(page)
    await takeScreenshots(page, 'vulnerabilities')

    // What was said for devices that are not here is seen with the advisory.
    await page.goto(`${suite.site.url}/products/${suite.site.productId}/advisories/DSA-1001`)
    await page.waitForSelector('#groups ~ ul li:has-text("site=lab")')
    expect(await page.textContent('#groups ~ .updates')).not.toContain('site=lab')
    await page.goBack()
    await page.waitForSelector('.updates li')

    await page.click('.updates a:has-text("DSA-1002")')
    await page.waitForSelector('#groups ~ .updates li')
    expect(await page.textContent('#groups ~ .updates')).toContain('Older than the fixed version')
    expect(await page.textContent('dl')).toContain('<b>when</b>')
    await expectAccessible(page)
    await takeScreenshots(page, 'advisory')
    await page.selectOption('.preferences select >> nth=1', 'de')
    await page.waitForSelector('#groups:has-text("Was sie für Geräte bedeutet")')
    expect(await page.textContent('#groups ~ .updates')).toContain('Älter als die behobene Version')
    await page.goBack()
    await page.waitForSelector('#next:has-text("Was als Nächstes auszuliefern ist")')
  }, 120_000)
})
