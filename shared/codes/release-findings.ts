import type { FindingEntry } from './finding-entry.ts'

const UPDATE = 'Update the gateway to an accepted release: keepseal release list --product PRODUCT shows which.'

/** Which release a device runs. Part of ./findings.ts. */
export const releaseFindings = {
  'release.mixture': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T2',
    title: 'parts of the device are of one release, and parts of another',
    remedy: 'Let the update of the gateway finish, or install the release anew: it was tested by nobody as it is.',
  },
  'release.superseded': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T3',
    title: 'the device runs a release whose acceptance window has closed',
    remedy: UPDATE,
  },
  'release.downgraded': {
    axis: 'posture',
    severity: 'high',
    trigger: 'T2',
    title: 'the device runs a release below the minimum, or went back to an earlier one',
    remedy:
      'Update the gateway again. Where going back was meant, accept it: keepseal device approve UEID. Below the ' +
      'minimum nothing accepts it.',
  },
  'release.revoked': {
    axis: 'posture',
    severity: 'critical',
    trigger: 'T2',
    title: 'the device runs a release that was revoked',
    remedy: UPDATE,
  },
} as const satisfies Record<string, FindingEntry>
