import type { PracticeId } from '../practices.ts'
import type { Catalogue } from './schema.ts'

const OURS = 'Which requirement goes with which practice is our reading, no official table. Check the original.'

export const frameworks = {
  'iec-62443-4-1': { title: 'IEC 62443-4-1, secure product development', version: '2018', note: OURS },
  'iec-62443-4-2': { title: 'IEC 62443-4-2, technical requirements for components', version: '2019', note: OURS },
  'iec-62443-2-1': { title: 'IEC 62443-2-1, programme of an asset owner', version: '2024, edition 2', note: OURS },
  'etsi-en-303-645': { title: 'ETSI EN 303 645, consumer IoT', version: 'V2.1.1 (2020), clauses', note: OURS },
  'eu-cra-annex-1': { title: 'Cyber Resilience Act, Annex I', version: 'Regulation (EU) 2024/2847', note: OURS },
  'nistir-8259a': { title: 'NISTIR 8259A, core capabilities of IoT devices', version: '2020', note: OURS },
} satisfies Catalogue['frameworks']

type FrameworkId = keyof typeof frameworks
type Row = readonly [part1: string, part2: string, owner: string, etsi: string, cra: string, nist: string]

const COLUMNS = Object.keys(frameworks) as readonly FrameworkId[]

/** One column a framework, in the order above; requirements are separated by `; `. */
const ROWS: Readonly<Record<PracticeId, Row>> = {
  'security-program-management': ['SM-1; SM-2; SM-4; SM-13', '', 'ORG 1', '', 'Part I (1)', ''],
  'compliance-management': ['SM-3; SM-12', '', 'ORG 1; ORG 2', '', 'Part I (1)', ''],
  'threat-modeling': ['SR-1; SR-2', '', 'ORG 2', '', 'Part I (1)', ''],
  'risk-attitude': ['SR-1; SR-2; SR-3; SR-4; SR-5', '', 'ORG 1; ORG 2', '', 'Part I (1)', ''],
  'supply-chain-risk-management': ['SM-6; SM-9; SM-10', 'CR 3.4', 'ORG 1', '5.7', 'Part II (1)', ''],
  'third-party-dependencies-management': ['SM-9; SUM-3', '', 'ORG 1', '5.9', 'Part I (2)(h)', ''],
  'establishing-and-maintaining-identities': [
    'SM-8',
    'CR 1.1; CR 1.2; CR 1.3; CR 1.4; CR 1.5; CR 1.8; CR 1.9; EDR 3.12; EDR 3.13',
    'USER 1',
    '5.1; 5.4',
    'Part I (2)(b); Part I (2)(d)',
    'Device Identification',
  ],
  'access-control': [
    'SD-1; SD-2',
    'CR 2.1; CR 2.2; CR 2.5; CR 2.6; CR 2.7; CR 7.7',
    'USER 2; NET 3',
    '5.1; 5.6',
    'Part I (2)(d); Part I (2)(j)',
    'Logical Access to Interfaces',
  ],
  'asset-change-and-configuration-management': [
    'SM-6',
    'CR 3.4; CR 7.6; CR 7.8; EDR 3.14',
    'CM 1',
    '5.7; 5.12',
    'Part I (2)(b); Part I (2)(f)',
    'Device Configuration',
  ],
  'physical-protection': ['SG-1', 'EDR 2.13; EDR 3.11', 'ORG 3', '5.4; 5.6', 'Part I (2)(j)', ''],
  'protection-model-and-policy-for-data': [
    'SD-1',
    'CR 4.1; CR 4.2; CR 4.3',
    'DATA 1',
    '5.8; 5.11; 6',
    'Part I (2)(g); Part I (2)(m)',
    'Data Protection',
  ],
  'implementation-of-data-protection-controls': [
    'SI-1',
    'CR 3.1; CR 4.1; CR 4.2; CR 4.3',
    'DATA 1',
    '5.4; 5.5; 5.7; 5.8',
    'Part I (2)(e); Part I (2)(f)',
    'Data Protection',
  ],
  'vulnerability-assessment': [
    'SVV-3; SVV-4; DM-1; DM-2; DM-3; DM-4',
    '',
    'ORG 2',
    '5.2; 5.13',
    'Part I (2)(a); Part II (1); Part II (3); Part II (5)',
    '',
  ],
  'patch-management': [
    'SUM-1; SUM-2; SUM-3; SUM-4; SUM-5',
    'EDR 3.10',
    'COMP 3',
    '5.3',
    'Part I (2)(c); Part II (2); Part II (7); Part II (8)',
    'Software Update',
  ],
  'monitoring-practice': [
    '',
    'CR 2.8; CR 2.9; CR 2.10; CR 2.11; CR 2.12; CR 6.1; CR 6.2',
    'EVENT 1',
    '5.10',
    'Part I (2)(l)',
    'Cybersecurity State Awareness',
  ],
  'situation-awareness-and-information-sharing': [
    'DM-1; DM-5',
    '',
    'EVENT 1; ORG 2',
    '5.2',
    'Part II (4); Part II (6)',
    '',
  ],
  'event-detection-and-response-plan': [
    'DM-4; DM-5; DM-6',
    'CR 6.2',
    'EVENT 1',
    '5.2; 5.10',
    'Part I (2)(k); Part II (5)',
    'Cybersecurity State Awareness',
  ],
  'remediation-recovery-and-continuity-of-operations': [
    'SG-1',
    'CR 7.3; CR 7.4; CR 7.5',
    'AVAIL 1; AVAIL 2',
    '5.9',
    'Part I (2)(h); Part I (2)(i); Part I (2)(k)',
    '',
  ],
}

export function mappingsOf(practice: PracticeId): Readonly<Record<string, string[]>> {
  const row = ROWS[practice]
  const cells = COLUMNS.map((framework, column) => [framework, row[column] ?? ''] as const)
  return Object.fromEntries(
    cells.filter(([, cell]) => cell !== '').map(([framework, cell]) => [framework, cell.split('; ')]),
  )
}
