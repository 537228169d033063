import type { GuardCode } from './guards.ts'

export interface GermanError {
  readonly title: string
  readonly remedy: string
}

const READ_LOG = 'Das Protokoll neu lesen (keepseal log show) und nach dem entscheiden, was es jetzt sagt.'

/** Why a decision does not hold: ./guards.ts and ./case-guards.ts have the English texts. Part of ./german-errors.ts. */
export const germanGuards: Readonly<Record<GuardCode, GermanError>> = {
  'case.unknown': {
    title: 'einen solchen Fall hat der Collector nicht eröffnet',
    remedy: 'keepseal case list zeigt sie.',
  },
  'case.facts-mismatch': {
    title: 'die Entscheidung nennt andere Tatsachen des Falls, als aufgezeichnet wurden',
    remedy: 'keepseal case show ID sagt, worum es in dem Fall geht, und was als Nächstes kommt.',
  },
  'case.dismissal-critical': {
    title: 'der Hersteller verwirft nicht, was kritisch ist',
    remedy: 'Annehmen, oder den Zertifizierer bitten, es zu verwerfen.',
  },
  'case.awareness-later': {
    title: 'wovon der Hersteller weiß, weiß er nicht später, und nicht in der Zukunft',
    remedy: 'Eine Berichtigung nennt eine frühere Zeit.',
  },
  'case.scope-mismatch': {
    title: 'neu bewertet wurde nicht, was der Umfang des Falls sagt',
    remedy: 'Zu jeder Praktik des Umfangs ein Ergebnis nennen, und zu keiner anderen.',
  },
  'case.fix-misdated': {
    title: 'die Behebung ist vor ihrem Fall datiert oder in der Zukunft',
    remedy: 'Die Zeit nennen, zu der die Behebung da war.',
  },
  'case.evidence-missing': {
    title: 'nichts Frisches zeigt, dass die Behebung da ist',
    remedy: 'Auf Nachweise der Flotte warten oder die Dokumente nennen, die es zeigen.',
  },
  'case.evidence-before-fix': {
    title: 'Nachweise sind älter als die Behebung, die sie zeigen sollen',
    remedy: 'Nachweise verwenden, die nach der Behebung entstanden sind.',
  },
  'case.share-too-small': {
    title: 'weniger Geräte zeigen die Behebung, als die Vereinbarung zum Zertifikat verlangt',
    remedy: 'Die Behebung auf mehr Geräte bringen und noch einmal nachweisen.',
  },
  'case.share-overstated': {
    title: 'die Entscheidung sagt mehr, als der Collector Nachweise hat',
    remedy: 'Die Zahlen nennen, die keepseal case show ID ausgibt.',
  },
  'case.release-unknown': {
    title: 'das Release, das die Behebung bringen soll, ist für das Produkt nicht in Kraft',
    remedy: 'Es zuerst in Kraft setzen: keepseal release list',
  },
  'case.not-critical': {
    title: 'ein Profil wird nur wegen einer bestätigten kritischen Abweichung gesenkt',
    remedy:
      'Beheben, was gefunden wurde; oder die Zusage eines bestehenden Produkts senken, mit einem öffentlichen Hinweis.',
  },
  'case.certificate-in-force': {
    title: 'das Zertifikat des Falls ist noch in Kraft',
    remedy: 'Der Fall wird durch seine Behebung geschlossen; oder das Zertifikat wird zuerst entzogen oder ersetzt.',
  },
  'log.malformed': {
    title: 'ein Eintrag des Entscheidungsprotokolls ist nicht, wie er beschrieben ist',
    remedy: 'Das Protokoll noch einmal exportieren.',
  },
  'log.broken-link': {
    title: 'ein Eintrag des Entscheidungsprotokolls folgt nicht auf den vor ihm',
    remedy: 'Einträge wurden entfernt, geändert oder umgestellt: mit einer anderen Kopie des Protokolls vergleichen.',
  },
  'log.signature-invalid': {
    title: 'ein Eintrag des Entscheidungsprotokolls ist nicht von der Person signiert, die er nennt',
    remedy: 'Der Eintrag wurde geändert oder gefälscht: mit einer anderen Kopie des Protokolls vergleichen.',
  },
  'log.unknown-author': {
    title: 'der Schlüssel, der den Eintrag signiert hat, gehört niemandem im Protokoll',
    remedy: 'Ein Zertifizierer nimmt Personen auf: keepseal person add',
  },
  'log.revoked-author': {
    title: 'wer signiert hat, durfte es schon nicht mehr',
    remedy: 'Jemand muss entscheiden, der die Rolle noch hat.',
  },
  'log.time-reversed': {
    title: 'die Zeit des Eintrags kann nicht stimmen',
    remedy: 'Die Uhr des Rechners stellen, der signiert, und noch einmal entscheiden.',
  },
  'log.moved-on': { title: 'jemand anders hat inzwischen entschieden', remedy: READ_LOG },
  'decision.role': {
    title: 'die Rolle dieser Person erlaubt die Entscheidung nicht',
    remedy: 'Jemanden mit dieser Rolle bitten.',
  },
  'decision.own-work': {
    title: 'niemand entscheidet über das, was er selbst eingereicht hat',
    remedy: 'Eine zweite Person dieser Rolle muss entscheiden.',
  },
  'decision.no-such-subject': { title: 'wovon die Entscheidung handelt, kennt das Protokoll nicht', remedy: READ_LOG },
  'decision.exists-already': { title: 'so heißt im Protokoll schon etwas', remedy: READ_LOG },
  'decision.wrong-state': { title: 'der Zustand erlaubt diese Entscheidung nicht', remedy: READ_LOG },
  'decision.period': {
    title: 'die Frist ist länger, als die Regeln erlauben, oder vergangen',
    remedy: 'Ein anderes Datum wählen.',
  },
  'decision.reason-missing': {
    title: 'die Entscheidung nennt keinen Grund',
    remedy: 'Den Grund nennen: Er ist, was andere lesen.',
  },
  'person.last-certifier': {
    title: 'ohne diese Person könnte niemand mehr entscheiden',
    remedy: 'Zuerst einen weiteren Zertifizierer aufnehmen.',
  },
  'profile.invalid': {
    title: 'das Profil ist nicht, wie es beschrieben ist',
    remedy: 'Die Stelle berichtigen, die die Meldung nennt; docs/profiles.md hat ein Beispiel.',
  },
  'profile.version-gap': { title: 'die Version des Profils folgt nicht auf die letzte', remedy: READ_LOG },
  'profile.lowering-refused': {
    title: 'die Änderung senkt, was das Profil zusagt',
    remedy:
      'Dazu braucht es eine kritische Abweichung, die aus einem unvorhersehbaren Grund nicht zu beheben ist, oder die Senkung eines bestehenden Produkts mit öffentlichem Hinweis: diese Art der Änderung wählen und ihren Beleg nennen.',
  },
  'profile.circular': {
    title: 'die Vorlagen des Profils gehen im Kreis',
    remedy: 'Das Profil auf eine Vorlage gründen, die nicht auf ihm beruht.',
  },
  'profile.template-unknown': {
    title: 'das Profil beruht auf etwas, das keine freigegebene Vorlage ist',
    remedy: 'Id, Version und Prüfsumme einer freigegebenen Vorlage nennen: keepseal profile list',
  },
  'profile.document-missing': {
    title: 'der Collector hat das Profil nicht, das signiert wurde',
    remedy: 'Es mit der Signatur einreichen: keepseal profile apply FILE',
  },
  'profile.document-differs': {
    title: 'die Entscheidung sagt etwas anderes als das Profil, das sie nennt',
    remedy: 'Signieren, was die Datei sagt: keepseal profile apply FILE',
  },
  'profile.not-approved': {
    title: 'das Profil ist nicht freigegeben',
    remedy: 'Ein Zertifizierer gibt es zuerst frei.',
  },
  'document.kind-unknown': {
    title: 'der Katalog hat für die Praktik keine solche Art von Dokument',
    remedy: 'docs/practices.md zählt die Arten auf; keepseal practice show PRACTICE die einer Praktik.',
  },
  'document.signer-revoked': {
    title: 'wer das Dokument signiert hat, darf nicht mehr signieren',
    remedy: 'Jemand, der es noch darf, muss es neu einreichen: keepseal document submit',
  },
  'nonconformity.not-in-drift': {
    title: 'nur was abweicht, wird als Nichtkonformität bestätigt',
    remedy: 'keepseal practice status --product PRODUCT sagt, wie es um jede Praktik steht.',
  },
  'nonconformity.facts-mismatch': {
    title: 'bestätigt wird nicht, was der Collector errechnet hat',
    remedy: 'Noch einmal hinsehen (keepseal practice status) und bestätigen, was jetzt so ist.',
  },
  'nonconformity.confirmed-already': {
    title: 'die Nichtkonformität ist schon bestätigt',
    remedy: 'Es ist nichts zu tun; ein Zertifizierer nimmt sie zurück: keepseal practice confirm PRACTICE no',
  },
  'nonconformity.not-confirmed': {
    title: 'es ist keine Nichtkonformität bestätigt, die zurückzunehmen wäre',
    remedy: 'keepseal practice status --product PRODUCT sagt, wie es um jede Praktik steht.',
  },
  'certificate.stage-open': {
    title: 'eine Stufe der Bewertung ist noch nicht bestanden',
    remedy: 'keepseal assessment show CERTIFICATE sagt, welche die nächste ist.',
  },
  'certificate.profile-mismatch': {
    title: 'das Zertifikat nennt ein anderes Profil als das freigegebene',
    remedy: 'Die Prüfsumme der freigegebenen Version nennen.',
  },
  'certificate.file-invalid': {
    title: 'die Zertifikatsdatei ist nicht schlüssig',
    remedy: 'Sie noch einmal von ihrem Zertifizierer oder von der Seite des Zertifikats holen.',
  },
  'certificate.status-invalid': {
    title: 'der Status des Zertifikats ist nicht, was er zu sein vorgibt',
    remedy: 'Ihn noch einmal holen: /c/CERTIFICATE/status des Collectors.',
  },
  'certificate.scope-widened': {
    title: 'eine Verringerung hat mehr Produkte oder höhere Stufen als das, was sie verringert',
    remedy: 'Für einen weiteren Umfang nach dessen Bewertung ein neues Zertifikat ausstellen.',
  },
}
