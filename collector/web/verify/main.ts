import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { checkStatus, type Checked } from './check-status.ts'
import { verifyTexts } from './texts.ts'

/** On the public page of a certificate: checks the signed status in the visitor's own browser, and says what came of it. */
async function run(section: HTMLElement): Promise<Checked> {
  const { certificate = '', key = '', digest = '' } = section.dataset
  const answer = await fetch(`/c/${encodeURIComponent(certificate)}/status`, {
    headers: { accept: 'application/cbor' },
    credentials: 'omit',
  })
  if (!answer.ok) return { isGood: false, kind: 'not-fetched', reason: `the collector answered with ${answer.status}` }
  const bytes = new Uint8Array(await answer.arrayBuffer())
  return checkStatus(bytes, { certificate, key: fromBase64Url(key), digest }, Math.floor(Date.now() / 1000))
}

function show(section: HTMLElement, checked: Checked): void {
  const result = section.querySelector('[data-result]')
  if (result === null) return
  result.className = `state ${checked.isGood ? 'good' : 'bad'}`
  const texts = verifyTexts(document.documentElement.lang)
  result.textContent = checked.isGood ? `\u2713 ${texts.good}` : `\u2717 ${texts.bad(checked)}`
  const detail = section.querySelector('[data-detail]')
  if (detail !== null && checked.isGood) {
    const at = new Date(checked.issuedAt * 1000).toISOString().slice(0, 16).replace('T', ' ')
    detail.textContent = texts.signed(at, checked.keyId)
  }
}

const section = document.getElementById('verify')
if (section !== null) {
  run(section).then(
    (checked) => show(section, checked),
    () => show(section, { isGood: false, kind: 'not-fetched', reason: 'the signed status could not be fetched' }),
  )
}
