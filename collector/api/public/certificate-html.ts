import { createHash } from 'node:crypto'
import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import { html, Html } from '../html.ts'
import { shownState } from './shown-state.ts'
import type { SignedStatus } from './status-book.ts'

/** For paper as well: no colour carries what a word does not say. Its hash is in the content security policy. */
export const CERTIFICATE_STYLE = `
:root { color-scheme: light; --line: #c8ccd1; --faint: #505a64; }
body { font: 15px/1.5 system-ui, sans-serif; color: #14181c; background: #fff; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; border-bottom: 2px solid #14181c; }
dl { display: grid; grid-template-columns: 12rem 1fr; gap: .2rem 1rem; margin: .8rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.state { font-size: 1.3rem; font-weight: 700; border: 2px solid currentColor; display: inline-block; padding: .2rem .8rem; margin: .8rem 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; } label { display: grid; color: var(--faint); }
input, button { font: inherit; padding: .25rem .5rem; }
.good { color: #1f6f43; } .warn { color: #8a5a00; } .bad { color: #a3241d; } .faint { color: var(--faint); }
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
}

export const styleElement = Html.of([`<style>${CERTIFICATE_STYLE}</style>`], [])

const time = (seconds: number): Html => {
  const iso = new Date(seconds * 1000).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}
const fact = (name: string, value: Html | string | number): Html =>
  html`<dt>${name}</dt>
    <dd>${value}</dd>`
const nothing = html``

/** Certificate and profile on one page, never one without the other; its facts need no script, and it prints. */
export function renderCertificate({ status, digest }: SignedStatus, now: number, served?: CheckedBy): Html {
  const { verifier, key = '' } = served ?? {}
  const { body, certificate, issuedAt, expiresAt } = status
  const { word, tone } = shownState(status, now)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Certificate ${body.number}: ${word}</title>
        ${styleElement} ${verifier === undefined ? nothing : html`<script type="module" src="${verifier}"></script>`}
      </head>
      <body>
        <h1>Security maturity certificate ${body.number}</h1>
        <p class="state ${tone}">${word}</p>
        <p>
          As of ${time(issuedAt)}. Not to be believed after ${time(expiresAt)}: from then on the state is unknown until
          it is asked again.
        </p>
        <dl>
          ${fact('Certificate', html`<code>${certificate}</code>`)}
          ${fact('May be claimed for', body.claimsAllowedFor.length === 0 ? 'no product' : body.claimsAllowedFor.join(', '))}
          ${fact('Issued', body.issuedAt === null ? 'not issued' : time(body.issuedAt))}
          ${fact('Valid', html`${time(body.validFrom)} to ${time(body.validUntil)}`)}
          ${fact('Vendor supports until', time(body.supportUntil))}
          ${body.supersedes === null ? nothing : fact('Replaces', html`<a href="/c/${body.supersedes}"><code>${body.supersedes}</code></a>`)}
          ${fact('Collector operated by', body.operator)}
          ${
            body.conformity === null
              ? fact('Live conformity', 'not public by agreement')
              : fact(
                  'Live conformity',
                  Object.entries(body.conformity)
                    .map(([name, value]) => `${name}: ${value}`)
                    .join(', '),
                )
          }
        </dl>
        ${conditions(body)} ${products(body)} ${profile(body)}
        ${served === undefined ? nothing : coverageForm(certificate)}
        <h2>Check it yourself</h2>
        ${
          verifier === undefined
            ? nothing
            : html`<div id="verify" data-certificate="${certificate}" data-key="${key}" data-digest="${digest}">
                <p data-result role="status">Your browser verifies the signature here, where it runs scripts.</p>
                <p data-detail class="faint"></p>
              </div>`
        }
        <p>
          The signed status is at <a href="/c/${certificate}/status"><code>/c/${certificate}/status</code></a
          >, SHA-256 <code>${digest}</code>. With the certificate file: <code>keepseal certificate verify FILE</code>
        </p>
        <p class="faint">
          Decision log <code>${body.log.id}</code>, entry ${body.log.index}, <code>${body.log.hash}</code>
        </p>
      </body>
    </html>`
}

const coverageForm = (certificate: string): Html =>
  html`<h2>Is my gateway covered?</h2>
    <form method="get" action="/c/${certificate}/check">
      <label>Model <input name="model" required maxlength="256" /></label>
      <label>Serial number <input name="serial" required maxlength="128" /></label>
      <button type="submit">Check</button>
    </form>`

type Body = SignedStatus['status']['body']

function conditions({ conditions: under, conditionsOverdue, suspension }: Body): Html {
  return html`${
    under === null
      ? nothing
      : html`<h2>Conditions</h2>
          <p>${under.text}</p>
          <p>
            To be met by
            ${time(under.until)}${conditionsOverdue ? html` <strong class="bad">overdue</strong>` : nothing}
          </p>`
  }${
    suspension === null
      ? nothing
      : html`<h2>Suspension</h2>
          <p>
            ${suspension.products === null ? 'All products' : suspension.products.join(', ')}, since
            ${time(suspension.since)}, until ${time(suspension.until)} or an earlier decision
          </p>`
  }`
}

/** Percent of the units that are in use; nothing where it is not public. */
const coveredText = (coverage: NonNullable<Body['coverage']>, product: string): string => {
  const percent = coverage[product]
  return typeof percent === 'number' ? `${percent} %` : 'no active unit'
}

function products({ products: listed, line, coverage }: Body): Html {
  const rows = listed.map(
    ({ product, hardwareRevisions, firmwareLines, representative, rationale }) =>
      html`<tr>
        <td>${product}${representative && listed.length > 1 ? html` <strong>representative</strong>` : nothing}</td>
        <td><code>${hardwareRevisions.join(', ')}</code></td>
        <td><code>${firmwareLines.join(', ')}</code></td>
        ${coverage === undefined ? nothing : html`<td>${coveredText(coverage, product)}</td>`}
        <td>${rationale}</td>
      </tr>`,
  )
  return html`<h2>Products</h2>
    ${line === null ? nothing : html`<p><strong>${line.name}</strong>. Code base: ${line.codeBase} Hardware: ${line.hardware}</p>`}
    <table>
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col">Hardware</th>
          <th scope="col">Firmware</th>
          ${coverage === undefined ? nothing : html`<th scope="col">Units covered</th>`}
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`
}

function profile({ profile: named, targets, limitations }: Body): Html {
  const rows = Object.entries(targets).map(([practice, { level, scope }]) => {
    const known = PRACTICES[practice as PracticeId] as { readonly name: string } | undefined
    return html`<tr>
      <td>${known?.name ?? practice}</td>
      <td>${level}</td>
      <td>${scope}</td>
    </tr>`
  })
  return html`<h2>Profile ${named.id}, version ${named.version}</h2>
    <p class="faint">SHA-256 <code>${named.digest}</code></p>
    <table>
      <thead>
        <tr>
          <th scope="col">Practice</th>
          <th scope="col">Level</th>
          <th scope="col">Scope</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <h2>Limitations</h2>
    ${
      limitations === null
        ? html`<p>The document of the profile is not with this collector: ask the certifier for its limitations.</p>`
        : limitations.length === 0
          ? html`<p>None is public.</p>`
          : html`<ul>
              ${limitations.map(
                ({ title, reason, compensation }) =>
                  html`<li>
                    <strong>${title}</strong>: ${reason}
                    ${compensation === null ? '' : `Made up for by: ${compensation}`}
                  </li>`,
              )}
            </ul>`
    }`
}
