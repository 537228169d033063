import { html, Html } from './html.ts'
import type { StatusView } from './status-view.ts'

const REFRESH_SECONDS = 15

/** Both themes of the reader's system; colour never says alone what a word says beside it. */
export const STYLE = `
:root { color-scheme: light dark; --line: #d6d9dd; --faint: #5c6670; --good: #1f6f43; --warn: #8a5a00; --bad: #a3241d; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a4047; --faint: #9aa4ad; --good: #6cc496; --warn: #e0b252; --bad: #f0857d; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p { margin: .4rem 0; }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--faint); font-size: .85rem; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.faint { color: var(--faint); }
.good { color: var(--good); }
.warn { color: var(--warn); }
.bad { color: var(--bad); font-weight: 600; }
`

/** Ours, and to be sent as it is: its hash is in the content security policy. */
const styleElement = Html.of([`<style>${STYLE}</style>`], [])

const TONES: Readonly<Record<string, string>> = {
  affirming: 'good',
  warning: 'warn',
  contraindicated: 'bad',
  'not-appraised': 'warn',
  fresh: 'good',
  stale: 'warn',
  silent: 'bad',
  failed: 'bad',
  'recovered-unacknowledged': 'warn',
  pending: 'warn',
  critical: 'bad',
  high: 'bad',
  medium: 'warn',
}

const word = (text: string): Html => html`<span class="${TONES[text] ?? 'faint'}">${text}</span>`

/** `2026-05-01T10:00:00.000Z` as people read it. */
const time = (text: string | null): Html =>
  text === null
    ? html`<span class="faint">never</span>`
    : html`<time datetime="${text}">${text.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}</time>`

const fact = (name: string, value: Html | string | number): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`

function table(titles: readonly string[], rows: readonly Html[]): Html {
  const head = titles.map((title) => html`<th scope="col">${title}</th>`)
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`
}

const more = (shown: number, all: number): Html =>
  all > shown ? html`<p class="faint">The newest ${shown} of ${all} are shown.</p>` : html``

/** The whole page. Needs no script; the browser loads it again by itself. */
export function renderStatus(status: StatusView): Html {
  const now = new Date(status.shownAt).toISOString()
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="${REFRESH_SECONDS}" />
        <title>Keepseal</title>
        ${styleElement}
      </head>
      <body>
        <h1>Keepseal</h1>
        <p class="faint">
          Collector ${status.version}, ${operatedBy(status)}, as of ${time(now)}. This page refreshes every
          ${REFRESH_SECONDS} seconds.
        </p>
        ${clock(status)} ${facts(status)} ${devices(status)} ${findings(status)} ${cases(status)}
      </body>
    </html> `
}

const operatedBy = ({ operator }: StatusView): string =>
  operator === '' ? 'operated by nobody who has begun its decision log' : `operated by ${operator}`

function clock({ clockStepSeconds }: StatusView): Html {
  if (clockStepSeconds === 0) return html``
  return html`<p class="bad">
    The clock of this machine was stepped by ${clockStepSeconds} seconds, and is not followed: set it right, or restart
    the collector if it is right now.
  </p>`
}

function facts({ deviceCount, byVerdict, findingCount, suppressed, caseCount, newestAttestation }: StatusView): Html {
  const affirming = byVerdict.get('affirming') ?? 0
  const hushed = suppressed.exceptions === 0 ? html`` : fact('Suppressed by exceptions', suppressed.findings)
  return html`<dl>
    ${fact('Devices', deviceCount)} ${fact('Last verdict affirming', affirming)}
    ${fact('Unresolved findings', findingCount)} ${hushed} ${fact('Open cases', caseCount)}
    ${fact('Newest attestation', time(newestAttestation))}
  </dl>`
}

function devices({ devices: listed, deviceCount }: StatusView): Html {
  if (deviceCount === 0) {
    return html`<h2>Devices</h2>
      <p>No device has enrolled yet.</p>
      <p>
        Make a token with <code>keepseal token create --product PRODUCT</code>, then on the gateway
        <code>keepseal-agent enroll</code>.
      </p>`
  }
  const rows = listed.map(
    (device) =>
      html`<tr>
        <td>
          ${device.vendor} ${device.model}<br /><span class="faint">${device.serial}</span><br /><code
            >${device.ueid}</code
          >
        </td>
        <td>
          ${word(device.verdict)}${device.verdictTitle === null ? html`` : html`<br /><span class="faint">${device.verdictTitle}</span>`}
        </td>
        <td>
          ${word(device.liveness)}${device.freshnessExtended ? html`<br /><span class="faint">extended</span>` : html``}
        </td>
        <td>${device.latch === 'none' ? html`<span class="faint">none</span>` : word(device.latch)}</td>
        <td>${device.identity}</td>
        <td>${device.bootCoverage}</td>
        <td>
          ${word(device.coverage)}${device.coverageReason === null ? html`` : html`<br /><span class="faint">${device.coverageReason}</span>`}
        </td>
        <td>${word(device.enrolment)}</td>
        <td>${device.findingCount}</td>
        <td>${time(device.lastFreshAt)}</td>
      </tr> `,
  )
  const titles = [
    'Device',
    'Verdict',
    'Liveness',
    'Latch',
    'Identity',
    'Boot',
    'Certificate',
    'Enrolment',
    'Findings',
    'Attested',
  ]
  return html`<h2>Devices</h2>
    ${table(titles, rows)}${more(listed.length, deviceCount)}`
}

function findings({ findings: listed, findingCount }: StatusView): Html {
  if (findingCount === 0)
    return html`<h2>Findings</h2>
      <p class="faint">None is unresolved.</p>`
  const rows = listed.map(
    (finding) =>
      html`<tr>
        <td>${word(finding.severity)}</td>
        <td>${finding.title}<br /><code class="faint">${finding.code}</code></td>
        <td><code>${finding.subject}</code></td>
        <td>${finding.state}</td>
        <td><code>${finding.ueid}</code></td>
      </tr> `,
  )
  const titles = ['Severity', 'Finding', 'Subject', 'State', 'Device']
  return html`<h2>Findings</h2>
    ${table(titles, rows)}${more(listed.length, findingCount)}`
}

function cases({ cases: listed, caseCount, shownAt }: StatusView): Html {
  if (caseCount === 0)
    return html`<h2>Reassessment cases</h2>
      <p class="faint">None is open.</p>`
  const rows = listed.map((record) => {
    const overdue = record.state === 'triggered' && record.triageBy < shownAt
    return html`<tr>
      <td>${record.title}<br /><code class="faint">${record.cause}</code></td>
      <td>${record.trigger}</td>
      <td>${record.state}</td>
      <td>${time(new Date(record.openedAt).toISOString())}</td>
      <td>
        ${time(new Date(record.triageBy).toISOString())}${overdue ? html` <span class="bad">overdue</span>` : html``}
      </td>
      <td><code>${record.id}</code></td>
    </tr> `
  })
  const titles = ['Cause', 'Trigger', 'State', 'Opened', 'Triage by', 'Case']
  return html`<h2>Reassessment cases</h2>
    ${table(titles, rows)}${more(listed.length, caseCount)}`
}
