/** For paper first: no colour carries what a word does not say, heads of tables come again on each page. */
export const REPORT_STYLE = `
:root { color-scheme: light; --line: #c8ccd1; --faint: #505a64; --good: #1f6f43; --warn: #8a5a00; --bad: #a3241d; }
@page { size: A4; margin: 18mm 15mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #505a64; } }
body { font: 14px/1.45 system-ui, sans-serif; color: #14181c; background: #fff; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; border-bottom: 2px solid #14181c; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
dl { display: grid; grid-template-columns: 13rem 1fr; gap: .15rem 1rem; margin: .7rem 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; } caption { text-align: left; color: var(--faint); padding-bottom: .2rem; }
th { text-align: left; color: var(--faint); font-weight: 600; }
th, td { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; } td.word { white-space: nowrap; overflow-wrap: normal; }
code { font: .82em ui-monospace, monospace; overflow-wrap: anywhere; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
.good { color: var(--good); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .faint { color: var(--faint); }
.state { font-size: 1.1rem; border: 2px solid currentColor; display: inline-block; padding: .1rem .6rem; margin: .3rem 0; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } table { display: block; overflow-x: auto; } }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; }
  h2, h3, caption { break-after: avoid; } thead { display: table-header-group; } tr, dl, li { break-inside: avoid; }
  section.sheet { break-before: page; } p { orphans: 3; widows: 3; }
}
`
