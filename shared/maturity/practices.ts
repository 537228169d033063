/**
 * The practices of the IoT Security Maturity Model (IIC/OMG), in its order: three domains of three subdomains of two practices.
 * Names are the model's; everything that is said about them in this product is said in its own words.
 */
export const PRACTICES = {
  'security-program-management': {
    domain: 'governance',
    subdomain: 'Security Strategy and Governance',
    name: 'Security Program Management',
  },
  'compliance-management': {
    domain: 'governance',
    subdomain: 'Security Strategy and Governance',
    name: 'Compliance Management',
  },
  'threat-modeling': {
    domain: 'governance',
    subdomain: 'Threat Modeling and Risk Assessment',
    name: 'Threat Modeling',
  },
  'risk-attitude': {
    domain: 'governance',
    subdomain: 'Threat Modeling and Risk Assessment',
    name: 'Risk Attitude',
  },
  'supply-chain-risk-management': {
    domain: 'governance',
    subdomain: 'Supply Chain and External Dependencies Management',
    name: 'Supply Chain Risk Management',
  },
  'third-party-dependencies-management': {
    domain: 'governance',
    subdomain: 'Supply Chain and External Dependencies Management',
    name: 'Third-Party Dependencies Management',
  },
  'establishing-and-maintaining-identities': {
    domain: 'enablement',
    subdomain: 'Identity and Access Management',
    name: 'Establishing and Maintaining Identities',
  },
  'access-control': { domain: 'enablement', subdomain: 'Identity and Access Management', name: 'Access Control' },
  'asset-change-and-configuration-management': {
    domain: 'enablement',
    subdomain: 'Asset Protection',
    name: 'Asset, Change and Configuration Management',
  },
  'physical-protection': { domain: 'enablement', subdomain: 'Asset Protection', name: 'Physical Protection' },
  'protection-model-and-policy-for-data': {
    domain: 'enablement',
    subdomain: 'Data Protection',
    name: 'Protection Model and Policy for Data',
  },
  'implementation-of-data-protection-controls': {
    domain: 'enablement',
    subdomain: 'Data Protection',
    name: 'Implementation of Data Protection Controls',
  },
  'vulnerability-assessment': {
    domain: 'hardening',
    subdomain: 'Vulnerability and Patch Management',
    name: 'Vulnerability Assessment',
  },
  'patch-management': {
    domain: 'hardening',
    subdomain: 'Vulnerability and Patch Management',
    name: 'Patch Management',
  },
  'monitoring-practice': { domain: 'hardening', subdomain: 'Situational Awareness', name: 'Monitoring Practice' },
  'situation-awareness-and-information-sharing': {
    domain: 'hardening',
    subdomain: 'Situational Awareness',
    name: 'Situation Awareness and Information Sharing Practice',
  },
  'event-detection-and-response-plan': {
    domain: 'hardening',
    subdomain: 'Event and Incident Response, Continuity of Operations',
    name: 'Event Detection and Response Plan',
  },
  'remediation-recovery-and-continuity-of-operations': {
    domain: 'hardening',
    subdomain: 'Event and Incident Response, Continuity of Operations',
    name: 'Remediation, Recovery and Continuity of Operations',
  },
} as const satisfies Record<string, Practice>

export const DOMAINS = ['governance', 'enablement', 'hardening'] as const
export type Domain = (typeof DOMAINS)[number]

export interface Practice {
  readonly domain: Domain
  readonly subdomain: string
  readonly name: string
}

export type PracticeId = keyof typeof PRACTICES

export const PRACTICE_IDS = Object.keys(PRACTICES) as [PracticeId, ...PracticeId[]]
