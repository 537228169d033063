import type { PracticeId } from './practices.ts'

/** German names of the practices, for pages: the model itself has English ones alone. */
export const germanPractices: Readonly<Record<PracticeId, string>> = {
  'security-program-management': 'Leitung des Sicherheitsprogramms',
  'compliance-management': 'Einhaltung von Vorgaben',
  'threat-modeling': 'Bedrohungsmodellierung',
  'risk-attitude': 'Haltung zu Risiken',
  'supply-chain-risk-management': 'Risiken der Lieferkette',
  'third-party-dependencies-management': 'Abhängigkeiten von Dritten',
  'establishing-and-maintaining-identities': 'Vergabe und Pflege von Identitäten',
  'access-control': 'Zugriffskontrolle',
  'asset-change-and-configuration-management': 'Bestand, Änderungen und Konfiguration',
  'physical-protection': 'Physischer Schutz',
  'protection-model-and-policy-for-data': 'Schutzmodell und Richtlinie für Daten',
  'implementation-of-data-protection-controls': 'Umsetzung des Datenschutzes',
  'vulnerability-assessment': 'Bewertung von Schwachstellen',
  'patch-management': 'Patch-Management',
  'monitoring-practice': 'Überwachung',
  'situation-awareness-and-information-sharing': 'Lagebild und Austausch von Informationen',
  'event-detection-and-response-plan': 'Erkennung von Ereignissen und Plan für die Reaktion',
  'remediation-recovery-and-continuity-of-operations': 'Behebung, Wiederherstellung und Fortführung des Betriebs',
}
