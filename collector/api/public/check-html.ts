import { html, type Html } from '../html.ts'
import { otherLanguage, styleElement } from './certificate-html.ts'
import type { checkCoverage } from './check.ts'
import { publicTexts, type PublicLanguage } from './public-texts.ts'

/** What the buyer of one unit asked, and the answer; it needs no script. */
export function renderCheck(
  answer: Awaited<ReturnType<typeof checkCoverage>>,
  { model, serial }: { readonly model: string; readonly serial: string },
  language: PublicLanguage,
): Html {
  const texts = publicTexts(language)
  const { t, word } = texts
  const isCovered = answer.coverage === 'covered'
  const said = isCovered ? t('covered') : t('notCovered')
  const page = `/c/${encodeURIComponent(answer.certificate)}`
  const address = (lang: string): string => `${page}/check?${new URLSearchParams({ lang, model, serial }).toString()}`
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${said}: ${model} ${serial}</title>
        ${styleElement}
      </head>
      <body>
        ${otherLanguage(texts, address)}
        <h1>${t('unit', { model, serial })}</h1>
        <p class="state ${isCovered ? 'good' : 'bad'}">${said}</p>
        <p>
          ${t('byCertificate')} <a href="${page}?lang=${language}">${answer.number}</a>,
          ${t('whichIs', { state: word(answer.state), at: answer.asOf })} ${t('sameAnswer')}
        </p>
        <p class="faint">${t('askVendor')}</p>
      </body>
    </html>`
}
