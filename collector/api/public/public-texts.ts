import type { PracticeStatus } from '../../../shared/maturity/conformity/status.ts'
import { germanPractices } from '../../../shared/maturity/german-practices.ts'
import { PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'

/** The languages of the pages that everybody may see. */
export const PUBLIC_LANGUAGES = ['en', 'de'] as const
export type PublicLanguage = (typeof PUBLIC_LANGUAGES)[number]

const en = {
  other: 'Deutsch',
  certificate: 'Certificate',
  title: 'Security maturity certificate {number}',
  asOf: 'As of {at}. Not to be believed after {until}: from then on the state is unknown until it is asked again.',
  claims: 'May be claimed for',
  noProduct: 'no product',
  issued: 'Issued',
  notIssued: 'not issued',
  valid: 'Valid',
  to: 'to',
  support: 'Vendor supports until',
  replaces: 'Replaces',
  operator: 'Collector operated by',
  conformity: 'Live conformity',
  notPublic: 'not public by agreement',
  conditions: 'Conditions',
  metBy: 'To be met by',
  overdue: 'overdue',
  suspension: 'Suspension',
  allProducts: 'All products',
  since: 'since',
  until: 'until',
  orEarlier: 'or an earlier decision',
  products: 'Products',
  codeBase: 'Code base:',
  hardware: 'Hardware',
  product: 'Product',
  firmware: 'Firmware',
  unitsCovered: 'Units covered',
  why: 'Why',
  representative: 'representative',
  noUnit: 'no active unit',
  profile: 'Profile {id}, version {version}',
  practice: 'Practice',
  level: 'Level',
  scope: 'Scope',
  limitations: 'Limitations',
  noDocument: 'The document of the profile is not with this collector: ask the certifier for its limitations.',
  noLimitation: 'None is public.',
  madeUpFor: 'Made up for by:',
  isCovered: 'Is my gateway covered?',
  model: 'Model',
  serial: 'Serial number',
  check: 'Check',
  checkYourself: 'Check it yourself',
  verifies: 'Your browser verifies the signature here, where it runs scripts.',
  signedAt: 'The signed status is at',
  withFile: 'With the certificate file:',
  log: 'Decision log',
  entry: 'entry',
  covered: 'Covered',
  notCovered: 'Not covered',
  unit: '{model}, serial number {serial}',
  byCertificate: 'By certificate',
  whichIs: 'which is {state}, as of {at}.',
  sameAnswer: 'A unit that does not exist gets the same answer as one that is not covered.',
  askVendor: 'Ask your vendor where you expected another answer, and look at the number on the unit itself.',
} as const

type Key = keyof typeof en

const de: Readonly<Record<Key, string>> = {
  other: 'English',
  certificate: 'Zertifikat',
  title: 'Zertifikat über Sicherheitsreife {number}',
  asOf: 'Stand {at}. Nach {until} nicht mehr zu glauben: von da an ist der Zustand unbekannt, bis neu gefragt wird.',
  claims: 'Darf genannt werden für',
  noProduct: 'kein Produkt',
  issued: 'Ausgestellt',
  notIssued: 'nicht ausgestellt',
  valid: 'Gültig',
  to: 'bis',
  support: 'Hersteller unterstützt bis',
  replaces: 'Ersetzt',
  operator: 'Collector betrieben von',
  conformity: 'Konformität zur Zeit',
  notPublic: 'nach Vereinbarung nicht öffentlich',
  conditions: 'Auflagen',
  metBy: 'Zu erfüllen bis',
  overdue: 'überfällig',
  suspension: 'Aussetzung',
  allProducts: 'Alle Produkte',
  since: 'seit',
  until: 'bis',
  orEarlier: 'oder zu einer früheren Entscheidung',
  products: 'Produkte',
  codeBase: 'Codebasis:',
  hardware: 'Hardware',
  product: 'Produkt',
  firmware: 'Firmware',
  unitsCovered: 'Erfasste Geräte',
  why: 'Warum',
  representative: 'stellvertretend',
  noUnit: 'kein aktives Gerät',
  profile: 'Profil {id}, Version {version}',
  practice: 'Praktik',
  level: 'Stufe',
  scope: 'Geltung',
  limitations: 'Einschränkungen',
  noDocument: 'Das Dokument des Profils liegt diesem Collector nicht vor: fragen Sie den Zertifizierer danach.',
  noLimitation: 'Keine ist öffentlich.',
  madeUpFor: 'Ausgeglichen durch:',
  isCovered: 'Ist mein Gateway erfasst?',
  model: 'Modell',
  serial: 'Seriennummer',
  check: 'Prüfen',
  checkYourself: 'Prüfen Sie es selbst',
  verifies: 'Ihr Browser prüft hier die Signatur, wenn er Skripte ausführt.',
  signedAt: 'Der signierte Status steht unter',
  withFile: 'Mit der Zertifikatsdatei:',
  log: 'Entscheidungslog',
  entry: 'Eintrag',
  covered: 'Erfasst',
  notCovered: 'Nicht erfasst',
  unit: '{model}, Seriennummer {serial}',
  byCertificate: 'Durch das Zertifikat',
  whichIs: 'Zustand: {state}, Stand {at}.',
  sameAnswer: 'Ein Gerät, das es nicht gibt, bekommt dieselbe Antwort wie eines, das nicht erfasst ist.',
  askVendor: 'Fragen Sie Ihren Hersteller, wenn Sie anderes erwartet haben, und sehen Sie die Nummer am Gerät nach.',
}

/** Words that the status itself has: of states, of conformity, of scopes. */
const GERMAN_WORDS: Readonly<Record<string, string>> = {
  withdrawn: 'zurückgezogen',
  superseded: 'abgelöst',
  abandoned: 'aufgegeben',
  expired: 'abgelaufen',
  'not yet valid': 'noch nicht gültig',
  'partly suspended': 'teilweise ausgesetzt',
  suspended: 'ausgesetzt',
  'valid, conditions overdue': 'gültig, Auflagen überfällig',
  'valid with conditions': 'gültig mit Auflagen',
  valid: 'gültig',
  overall: 'insgesamt',
  general: 'allgemein',
  industry: 'Branche',
  system: 'System',
  ...({
    conforming: 'konform',
    'at-risk': 'gefährdet',
    unknown: 'unbekannt',
    drift: 'abgewichen',
    nonconforming: 'nicht konform',
  } satisfies Record<PracticeStatus, string>),
}

export interface PublicTexts {
  readonly language: PublicLanguage
  readonly t: (key: Key, values?: Readonly<Record<string, string | number>>) => string
  /** A word of the status; itself where there is no other. */
  readonly word: (word: string) => string
  /** Name of a practice; its id where it is none that is known here. */
  readonly practice: (id: string) => string
}

export function publicTexts(language: PublicLanguage): PublicTexts {
  const texts = language === 'de' ? de : en
  return {
    language,
    t: (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)),
    word: (word) => (language === 'de' && Object.hasOwn(GERMAN_WORDS, word) ? (GERMAN_WORDS[word] ?? word) : word),
    practice: (id) => {
      if (!isPractice(id)) return id
      return language === 'de' ? germanPractices[id] : PRACTICES[id].name
    },
  }
}

const isPractice = (id: string): id is PracticeId => Object.hasOwn(PRACTICES, id)

/** Of a browser that sends nothing usable. */
const DEFAULT: PublicLanguage = 'en'
const MAX_RANGES = 32

/** The language that a header Accept-Language asks for most (RFC 9110 section 12.5.4). */
export function acceptedLanguage(header: string | undefined): PublicLanguage {
  let best: PublicLanguage = DEFAULT
  let bestQuality = 0
  for (const range of (header ?? '').split(',', MAX_RANGES)) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const found = PUBLIC_LANGUAGES.find((each) => tag === each || tag.startsWith(`${each}-`))
    const given = parameters.find((each) => each.startsWith('q='))
    const quality =
      given === undefined ? 1 : /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0
    if (found === undefined || quality <= bestQuality) continue
    best = found
    bestQuality = quality
  }
  return best
}
