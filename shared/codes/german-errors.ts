import type { ErrorCode } from './errors.ts'
import { germanGuards, type GermanError } from './german-guards.ts'

/** Errors that somebody can meet on a page; the others are those of agents and of the command line. */
type PageArea =
  | 'auth'
  | 'oidc'
  | 'request'
  | 'challenge'
  | 'case'
  | 'log'
  | 'decision'
  | 'person'
  | 'profile'
  | 'document'
  | 'nonconformity'
  | 'certificate'
  | 'release'
  | 'internal'
type PageErrorCode = Extract<ErrorCode, `${PageArea}.${string}`>

const ONCE_MORE = 'Die Anmeldung neu beginnen.'

/** What errors are called, and what to do: ./errors.ts has the English texts. */
export const germanErrors: Readonly<Record<PageErrorCode, GermanError>> = {
  'auth.missing': { title: 'kein oder ein unbekanntes API-Token', remedy: 'Authorization: Bearer ksa_… mitschicken.' },
  'auth.login-failed': {
    title: 'Anmeldename, Kennwort, Code oder Passkey stimmen nicht',
    remedy:
      'Mit dem nächsten Code der App oder einem Wiederherstellungscode noch einmal versuchen; ein Zertifizierer kann das Konto zurücksetzen.',
  },
  'auth.passkey-unavailable': {
    title: 'unter dieser Adresse gehen keine Passkeys',
    remedy: 'http.public_url auf eine Adresse mit Hostnamen setzen und die Seiten unter ihr öffnen.',
  },
  'auth.challenge-expired': {
    title: 'was zu beantworten war, ist unbekannt, schon beantwortet oder zu alt',
    remedy: 'Neu beginnen: Es gilt einmal, und zwei Minuten lang.',
  },
  'auth.csrf-missing': {
    title: 'die Anfrage kommt von keiner Seite dieses Collectors',
    remedy: 'Das csrfToken von GET /api/v1/session als X-CSRF-Token mitschicken oder ein API-Token verwenden.',
  },
  'auth.invitation-invalid': {
    title: 'die Einladung ist unbekannt, benutzt oder zu alt',
    remedy: 'Um eine neue bitten: keepseal-collector account reset LOGIN',
  },
  'auth.password-weak': {
    title: 'das Kennwort ist zu leicht zu erraten',
    remedy: 'Ein längeres nehmen: mehrere Wörter, die nichts miteinander zu tun haben.',
  },
  'auth.code-wrong': {
    title: 'der Code ist nicht der von jetzt',
    remedy: 'Die Uhr der App prüfen und den Code eingeben, den sie jetzt zeigt.',
  },
  'auth.assertion-invalid': {
    title: 'der Passkey hat das nicht signiert',
    remedy:
      'Den Passkey auf einer Seite dieses Collectors mit PIN oder Fingerabdruck benutzen und es noch einmal versuchen.',
  },
  'auth.forbidden': {
    title: 'das ist mit dieser Rolle nicht erlaubt',
    remedy: 'Jemanden fragen, dessen Rolle es darf.',
  },
  'oidc.provider-unreachable': {
    title: 'der Anbieter, bei dem man sich anmeldet, antwortet nicht, wie er soll',
    remedy: 'Später noch einmal versuchen; sonst oidc.issuer, das Netz und das Zertifikat des Anbieters prüfen.',
  },
  'oidc.refused': {
    title: 'der Anbieter hat diese Person nicht eingelassen',
    remedy: 'Noch einmal anmelden; bleibt es so, den Betreiber des Anbieters fragen.',
  },
  'oidc.code-refused': {
    title: 'der Anbieter nimmt den Code nicht, oder nicht noch einmal',
    remedy: `${ONCE_MORE} Ein Code gilt einmal.`,
  },
  'oidc.client-refused': {
    title: 'der Anbieter kennt diesen Collector nicht',
    remedy: 'oidc.client_id, oidc.client_secret_file und die Rücksprungadresse prüfen, die der Anbieter dafür hat.',
  },
  'oidc.issuer-wrong': {
    title: 'der Anbieter ist nicht der, der eingestellt ist',
    remedy: 'oidc.issuer so setzen, wie der Anbieter sich nennt, Buchstabe für Buchstabe.',
  },
  'oidc.audience-wrong': {
    title: 'das Token ist für jemand anderen',
    remedy: 'oidc.client_id prüfen; stimmt sie, hat jemand versucht, das Token eines anderen Programms zu verwenden.',
  },
  'oidc.nonce-wrong': {
    title: 'das Token wurde nicht für diese Anmeldung gemacht',
    remedy: `${ONCE_MORE} Geschieht es wieder, verwendet jemand fremde Token.`,
  },
  'oidc.token-expired': {
    title: 'das Token gilt zu dieser Zeit nicht',
    remedy: 'Die Uhren des Collectors und des Anbieters prüfen.',
  },
  'oidc.signature-invalid': {
    title: 'keiner der Schlüssel des Anbieters hat das Token signiert',
    remedy: `${ONCE_MORE} Bleibt es so, prüfen, was der Anbieter als seine Schlüssel veröffentlicht.`,
  },
  'oidc.token-invalid': {
    title: 'das Token ist nicht, wie OpenID Connect es sagt',
    remedy: 'Prüfen, ob der Anbieter ID-Token für den Scope openid gibt.',
  },
  'oidc.no-role': {
    title: 'nichts sagt, was diese Person hier darf',
    remedy: 'Einen Wert des Claims in oidc.roles aufnehmen oder den Betreiber des Anbieters darum bitten.',
  },
  'request.invalid': {
    title: 'die Anfrage ist nicht, wie sie beschrieben ist',
    remedy: 'Die Felder berichtigen, die die Meldung nennt.',
  },
  'request.not-found': { title: 'das gibt es nicht', remedy: 'Auflisten, was es gibt.' },
  'request.conflict': {
    title: 'die Anfrage widerspricht dem, was gespeichert ist',
    remedy: 'Den jetzigen Stand lesen und noch einmal entscheiden.',
  },
  'request.rate-limited': { title: 'zu viele Anfragen', remedy: 'So lange warten, wie Retry-After sagt.' },
  'challenge.too-soon': {
    title: 'das Gerät wurde eben erst um einen Nachweis gebeten',
    remedy: 'Auf seine Antwort warten, oder bis es wieder gefragt werden darf: eine Minute nach dem letzten Mal.',
  },
  ...germanGuards,
  'release.invalid': {
    title: 'die Datei des Release ist nicht, wie sie beschrieben ist',
    remedy: 'Die Stelle berichtigen, die die Meldung nennt; docs/releases.md hat ein Beispiel.',
  },
  'release.name-taken': {
    title: 'das Produkt hat schon ein Release dieses Namens',
    remedy: 'Ihm einen anderen Namen geben: Freigegebene Releases ändern sich nie.',
  },
  'release.content-unknown': {
    title: 'das Release nennt Inhalt, den dieser Collector nicht hat',
    remedy: 'Den Inhalt in die Datei schreiben, wie keepseal release export es tut.',
  },
  'release.state-refused': {
    title: 'der Zustand des Release erlaubt das nicht',
    remedy: 'keepseal release show RELEASE sagt seinen Zustand, und was als Nächstes kommt.',
  },
  'release.same-person': {
    title: 'niemand gibt sein eigenes Release frei',
    remedy: 'Eine andere Person freigeben lassen, mit ihrem eigenen Konto.',
  },
  'release.changed': {
    title: 'das Release ist nicht mehr, was angesehen wurde',
    remedy: 'Es noch einmal ansehen: keepseal release show RELEASE',
  },
  'release.countersignature-missing': {
    title: 'ein Release eines zertifizierten Produkts braucht die Gegenzeichnung des Zertifizierers',
    remedy: 'Den Zertifizierer bitten: keepseal release countersign RELEASE --seen DIGEST',
  },
  'release.critical-open': {
    title: 'ein Release mit ungelösten kritischen Feststellungen wird nicht erfasst',
    remedy: 'Sie zuerst lösen: keepseal finding list',
  },
  'release.window-invalid': {
    title: 'das Ende der Annahmefrist ist nicht brauchbar',
    remedy: 'Eine Zeit in der Zukunft nennen; die Frist eines abgelösten Release kann nur kürzer werden.',
  },
  'internal.failure': {
    title: 'ein Fehler dieser Software',
    remedy: 'Bitte mit dem Protokoll um ihn herum melden.',
  },
}
