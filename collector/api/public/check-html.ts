import { html, type Html } from '../html.ts'
import { styleElement } from './certificate-html.ts'
import type { checkCoverage } from './check.ts'

/** What the buyer of one unit asked, and the answer; it needs no script. */
export function renderCheck(
  answer: Awaited<ReturnType<typeof checkCoverage>>,
  { model, serial }: { readonly model: string; readonly serial: string },
): Html {
  const isCovered = answer.coverage === 'covered'
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${isCovered ? 'Covered' : 'Not covered'}: ${model} ${serial}</title>
        ${styleElement}
      </head>
      <body>
        <h1>${model}, serial number ${serial}</h1>
        <p class="state ${isCovered ? 'good' : 'bad'}">${isCovered ? 'Covered' : 'Not covered'}</p>
        <p>
          By certificate <a href="/c/${answer.certificate}">${answer.number}</a>, which is ${answer.state}, as of
          ${answer.asOf}. A unit that does not exist gets the same answer as one that is not covered.
        </p>
        <p class="faint">
          Ask your vendor where you expected another answer, and look at the number on the unit itself.
        </p>
      </body>
    </html>`
}
