import { useResource } from '../core/resource.ts'
import type { Boot, DeviceDetail, Page as ListPage, Posture, Transition } from '../core/types.ts'
import type { DeviceBoot, ExplainedListeners } from '../core/types-face.ts'
import { t } from '../i18n/text.ts'
import { Page } from '../parts/page.tsx'
import { Loading, ProblemBox } from '../parts/problem.tsx'
import { AttestNow } from './device-attest.tsx'
import { BootPicture } from './device-boot.tsx'
import { Evidence, Facts } from './device-facts.tsx'
import { Findings, Verdict } from './device-verdict.tsx'
import { Listeners, Packages, UpdateChannel } from './device-sections.tsx'
import { Timeline } from './device-timeline.tsx'

/** One device: what stands against it, and why. */
export function DevicePage({ ueid }: { readonly ueid?: string }) {
  const path = `/devices/${encodeURIComponent(ueid ?? '')}`
  const concerns = (ueids: readonly string[] | 'all'): boolean => ueids === 'all' || ueids.includes(ueid ?? '')
  const { data: device, error, reload } = useResource<DeviceDetail>(path, concerns)
  const boot = useResource<Boot>(`${path}/boot`, concerns)
  const posture = useResource<Posture>(`${path}/posture`, concerns)
  const history = useResource<ListPage<Transition>>(`${path}/history?limit=100`, concerns)
  const boots = useResource<{ items: readonly DeviceBoot[] }>(`${path}/boots`, concerns)
  const rules = useResource<ExplainedListeners>(`${path}/listeners`, concerns)
  const crumbs = [{ href: '/', text: t('nav.fleet') }]
  if (device === undefined) {
    return (
      <Page title={t('device.title', { name: ueid ?? '' })} crumbs={crumbs}>
        {error === undefined ? <Loading /> : <ProblemBox error={error} retry={reload} />}
      </Page>
    )
  }
  return (
    <Page title={t('device.title', { name: device.serial === '' ? device.ueid : device.serial })} crumbs={crumbs}>
      {error !== undefined && <ProblemBox error={error} retry={reload} />}
      <Verdict device={device} reload={reload} />
      <div class="beside">
        <Findings device={device} />
        <BootPicture boot={boot.data} error={boot.error} />
      </div>
      <div class="beside">
        <Timeline history={history.data} boots={boots.data?.items ?? []} />
        <div>
          <AttestNow device={device} reload={reload} />
          <Facts device={device} />
        </div>
      </div>
      <Listeners
        posture={posture.data}
        findings={device.findings}
        isCompared={device.verdict !== 'not-appraised'}
        rules={rules.data}
      />
      <div class="beside">
        <Packages posture={posture.data} />
        <UpdateChannel posture={posture.data} />
      </div>
      <Evidence device={device} />
    </Page>
  )
}
