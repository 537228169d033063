// Text for man(7). A page is made of macros at the beginning of lines; everything else is text and must not look like one.

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\', String.raw`\e`],
  ['"', String.raw`\(dq`],
  ["'", String.raw`\(aq`],
  ['`', String.raw`\(ga`],
  ['^', String.raw`\(ha`],
  ['~', String.raw`\(ti`],
])

const escapeAll = (text: string, special: RegExp): string =>
  text
    .replaceAll(special, (each) => SPECIAL.get(each) ?? String.raw`\-`)
    .replaceAll(/[^\t\n\x20-\x7e]/gu, (each) => String.raw`\[u${codeOf(each)}]`)

const codeOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')

/** At the beginning of a line a dot or an apostrophe would be a macro; the apostrophe is escaped anyway. */
const guarded = (text: string): string => text.replaceAll(/^\./gm, String.raw`\&.`)

/** What people read. Its hyphens may be hyphens. */
export const prose = (text: string): string => guarded(escapeAll(text.replaceAll(/\s+/g, ' ').trim(), /[\\"'`^~]/g))

/** What is typed: its dashes can be copied. */
export const literal = (text: string): string => guarded(escapeAll(text, /[\\"'`^~-]/g))

export const bold = (text: string): string => String.raw`\fB${literal(text)}\fR`

export const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`.SH ${literal(title).replaceAll(' ', String.raw`\ `)}`, ...lines]

export const subsection = (title: string, lines: readonly string[]): string[] => [
  `.SS ${literal(title).replaceAll(' ', String.raw`\ `)}`,
  ...lines,
]

/** Paragraphs, apart from each other but not from the title before them. */
export const paragraphs = (texts: readonly string[]): string[] =>
  texts.flatMap((text, index) => [...(index === 0 ? [] : ['.PP']), prose(text)])

/** A term with what it means below it. */
export const entry = (term: string, meanings: readonly string[]): string[] => [
  '.TP',
  term,
  ...meanings.flatMap((meaning, index) => [...(index === 0 ? [] : ['.sp']), prose(meaning)]),
]

/** Lines to be typed, as they are. */
export const example = (lines: readonly string[]): string[] => [
  '.RS 4',
  '.nf',
  ...lines.flatMap((line) => line.split('\n')).map(literal),
  '.fi',
  '.RE',
]

export interface PageHead {
  readonly name: string
  readonly section: 1 | 5 | 8
  readonly summary: string
  readonly version: string
  /** YYYY-MM-DD: of the release, so that the same sources make the same page. */
  readonly date: string
}

export interface Page {
  /** `keepseal.1`. */
  readonly file: string
  readonly content: string
}

export function page(head: PageHead, body: readonly string[]): Page {
  const { name, section: number, summary, version, date } = head
  return {
    file: `${name}.${number}`,
    content: [
      `.TH "${literal(name.toUpperCase())}" "${number}" "${date}" "Keepseal ${version}" "Keepseal"`,
      '.nh',
      '.ad l',
      ...section('NAME', [String.raw`${literal(name)} \- ${prose(summary)}`]),
      ...body,
      '',
    ].join('\n'),
  }
}
