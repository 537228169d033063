import { createHash } from 'node:crypto'
import { html, Html } from '../html.ts'
import { PUBLIC_LANGUAGES, publicTexts, type PublicLanguage, type PublicTexts } from './public-texts.ts'
import { shownState } from './shown-state.ts'
import type { SignedStatus } from './status-book.ts'

/** For paper as well: no colour carries what a word does not say. Its hash is in the content security policy. */
export const CERTIFICATE_STYLE = `
:root { color-scheme: light; --text: #14181c; --page: #fff; --line: #c8ccd1; --faint: #505a64; --link: #0b5d75; --good: #1f6f43; --warn: #8a5a00; --bad: #a3241d; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --text: #e6eaec; --page: #14181b; --line: #343c42; --faint: #a3aeb5; --link: #7cc7de; --good: #6fcf97; --warn: #f0b45c; --bad: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; border-bottom: 2px solid var(--text); }
a { color: var(--link); }
dl { display: grid; grid-template-columns: 12rem 1fr; gap: .2rem 1rem; margin: .8rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td, p { overflow-wrap: anywhere; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.state { font-size: 1.3rem; font-weight: 700; border: 2px solid currentColor; display: inline-block; padding: .2rem .8rem; margin: .8rem 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; } label { display: grid; color: var(--faint); }
input, button { font: inherit; padding: .25rem .5rem; color: inherit; background: var(--page); border: 1px solid var(--faint); border-radius: 4px; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); } .faint { color: var(--faint); }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt; } h2 { break-after: avoid; } tr, dl, li { break-inside: avoid; } }
`
/** The one style sheet by its hash, and the one script, which asks for the signed status. */
export const CERTIFICATE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(CERTIFICATE_STYLE).digest('base64')}'`,
  "script-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join(';')

/** What the page has where the collector serves it; a printed one has none of it. */
export interface CheckedBy {
  readonly verifier: string | undefined
  /** Public key of the collector, base64url. */
  readonly key: string
  readonly language: PublicLanguage
}

export const styleElement = Html.of([`<style>${CERTIFICATE_STYLE}</style>`], [])

/** As everybody reads it, whatever the language. */
const minute = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const time = (seconds: number): Html =>
  html`<time datetime="${new Date(seconds * 1000).toISOString()}">${minute(seconds)}</time>`
const fact = (name: string, value: Html | string | number): Html =>
  html`<dt>${name}</dt>
    <dd>${value}</dd>`
const nothing = html``

/** The same page in the other language; the link is in that language as well. */
export const otherLanguage = ({ language, t }: PublicTexts, address: (language: PublicLanguage) => string): Html => {
  const other = PUBLIC_LANGUAGES.find((each) => each !== language) ?? language
  return html`<p class="faint"><a href="${address(other)}" lang="${other}" hreflang="${other}">${t('other')}</a></p>`
}

/** Certificate and profile on one page, never one without the other; its facts need no script, and it prints. */
export function renderCertificate({ status, digest }: SignedStatus, now: number, served?: CheckedBy): Html {
  const { verifier, key = '', language = 'en' } = served ?? {}
  const texts = publicTexts(language)
  const { t, word } = texts
  const { body, certificate, issuedAt, expiresAt } = status
  const { word: state, tone } = shownState(status, now)
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${t('certificate')} ${body.number}: ${word(state)}</title>
        ${styleElement} ${verifier === undefined ? nothing : html`<script type="module" src="${verifier}"></script>`}
      </head>
      <body>
        ${served === undefined ? nothing : otherLanguage(texts, (other) => `/c/${certificate}?lang=${other}`)}
        <h1>${t('title', { number: body.number })}</h1>
        <p class="state ${tone}">${word(state)}</p>
        <p>${t('asOf', { at: minute(issuedAt), until: minute(expiresAt) })}</p>
        <dl>
          ${fact(t('certificate'), html`<code>${certificate}</code>`)}
          ${fact(t('claims'), body.claimsAllowedFor.length === 0 ? t('noProduct') : body.claimsAllowedFor.join(', '))}
          ${fact(t('issued'), body.issuedAt === null ? t('notIssued') : time(body.issuedAt))}
          ${fact(t('valid'), html`${time(body.validFrom)} ${t('to')} ${time(body.validUntil)}`)}
          ${fact(t('support'), time(body.supportUntil))}
          ${body.supersedes === null ? nothing : fact(t('replaces'), html`<a href="/c/${body.supersedes}"><code>${body.supersedes}</code></a>`)}
          ${fact(t('operator'), body.operator)}
          ${
            body.conformity === null
              ? fact(t('conformity'), t('notPublic'))
              : fact(
                  t('conformity'),
                  Object.entries(body.conformity)
                    .map(([name, value]) => `${word(name)}: ${word(value)}`)
                    .join(', '),
                )
          }
        </dl>
        ${conditions(body, texts)} ${products(body, texts)} ${profile(body, texts)}
        ${served === undefined ? nothing : coverageForm(certificate, texts)}
        <h2>${t('checkYourself')}</h2>
        ${
          verifier === undefined
            ? nothing
            : html`<div id="verify" data-certificate="${certificate}" data-key="${key}" data-digest="${digest}">
                <p data-result role="status">${t('verifies')}</p>
                <p data-detail class="faint"></p>
              </div>`
        }
        <p>
          ${t('signedAt')} <a href="/c/${certificate}/status"><code>/c/${certificate}/status</code></a
          >, SHA-256 <code>${digest}</code>. ${t('withFile')} <code>keepseal certificate verify FILE</code>
        </p>
        <p class="faint">
          ${t('log')} <code>${body.log.id}</code>, ${t('entry')} ${body.log.index}, <code>${body.log.hash}</code>
        </p>
      </body>
    </html>`
}

const coverageForm = (certificate: string, { t, language }: PublicTexts): Html =>
  html`<h2>${t('isCovered')}</h2>
    <form method="get" action="/c/${certificate}/check">
      <input type="hidden" name="lang" value="${language}" />
      <label>${t('model')} <input name="model" required maxlength="256" /></label>
      <label>${t('serial')} <input name="serial" required maxlength="128" /></label>
      <button type="submit">${t('check')}</button>
    </form>`

type Body = SignedStatus['status']['body']

function conditions({ conditions: under, conditionsOverdue, suspension }: Body, { t }: PublicTexts): Html {
  return html`${
    under === null
      ? nothing
      : html`<h2>${t('conditions')}</h2>
          <p>${under.text}</p>
          <p>
            ${t('metBy')}
            ${time(under.until)}${conditionsOverdue ? html` <strong class="bad">${t('overdue')}</strong>` : nothing}
          </p>`
  }${
    suspension === null
      ? nothing
      : html`<h2>${t('suspension')}</h2>
          <p>
            ${suspension.products === null ? t('allProducts') : suspension.products.join(', ')}, ${t('since')}
            ${time(suspension.since)}, ${t('until')} ${time(suspension.until)} ${t('orEarlier')}
          </p>`
  }`
}

/** Percent of the units that are in use; nothing where it is not public. */
const coveredText = (coverage: NonNullable<Body['coverage']>, product: string, { t }: PublicTexts): string => {
  const percent = coverage[product]
  return typeof percent === 'number' ? `${percent} %` : t('noUnit')
}

function products({ products: listed, line, coverage }: Body, texts: PublicTexts): Html {
  const { t } = texts
  const rows = listed.map(
    ({ product, hardwareRevisions, firmwareLines, representative, rationale }) =>
      html`<tr>
        <td>
          ${product}${representative && listed.length > 1 ? html` <strong>${t('representative')}</strong>` : nothing}
        </td>
        <td><code>${hardwareRevisions.join(', ')}</code></td>
        <td><code>${firmwareLines.join(', ')}</code></td>
        ${coverage === undefined ? nothing : html`<td>${coveredText(coverage, product, texts)}</td>`}
        <td>${rationale}</td>
      </tr>`,
  )
  return html`<h2>${t('products')}</h2>
    ${line === null ? nothing : html`<p><strong>${line.name}</strong>. ${t('codeBase')} ${line.codeBase} ${t('hardware')}: ${line.hardware}</p>`}
    <table>
      <thead>
        <tr>
          <th scope="col">${t('product')}</th>
          <th scope="col">${t('hardware')}</th>
          <th scope="col">${t('firmware')}</th>
          ${coverage === undefined ? nothing : html`<th scope="col">${t('unitsCovered')}</th>`}
          <th scope="col">${t('why')}</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`
}

function profile({ profile: named, targets, limitations }: Body, { t, word, practice: nameOf }: PublicTexts): Html {
  const rows = Object.entries(targets).map(([practice, { level, scope }]) => {
    return html`<tr>
      <td>${nameOf(practice)}</td>
      <td>${level}</td>
      <td>${word(scope)}</td>
    </tr>`
  })
  return html`<h2>${t('profile', named)}</h2>
    <p class="faint">SHA-256 <code>${named.digest}</code></p>
    <table>
      <thead>
        <tr>
          <th scope="col">${t('practice')}</th>
          <th scope="col">${t('level')}</th>
          <th scope="col">${t('scope')}</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <h2>${t('limitations')}</h2>
    ${
      limitations === null
        ? html`<p>${t('noDocument')}</p>`
        : limitations.length === 0
          ? html`<p>${t('noLimitation')}</p>`
          : html`<ul>
              ${limitations.map(
                ({ title, reason, compensation }) =>
                  html`<li>
                    <strong>${title}</strong>: ${reason}
                    ${compensation === null ? '' : `${t('madeUpFor')} ${compensation}`}
                  </li>`,
              )}
            </ul>`
    }`
}
