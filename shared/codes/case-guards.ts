import { defineCodes } from './registry.ts'

const LOOK = 'keepseal case show ID tells what the case is about, and what comes next.'

/** Why a decision about a reassessment case does not hold. Part of ./guards.ts. */
export const caseGuards = defineCodes({
  'case.unknown': { title: 'the collector has opened no such case', remedy: 'keepseal case list shows them.' },
  'case.facts-mismatch': {
    title: 'the decision names other facts of the case than were recorded',
    remedy: LOOK,
  },
  'case.dismissal-critical': {
    title: 'the vendor does not dismiss what is critical',
    remedy: 'Accept it, or ask the certifier to dismiss it.',
  },
  'case.awareness-later': {
    title: 'what the vendor was aware of does not become later, nor is it in the future',
    remedy: 'A correction gives an earlier time.',
  },
  'case.scope-mismatch': {
    title: 'what was assessed anew is not what the scope of the case says',
    remedy: 'Give one result for each practice of the scope, and no other.',
  },
  'case.fix-misdated': {
    title: 'the fix is dated before its case or in the future',
    remedy: 'Give the time at which the fix was there.',
  },
  'case.evidence-missing': {
    title: 'nothing fresh shows that the fix is there',
    remedy: 'Wait for evidence of the fleet, or name the documents that show it.',
  },
  'case.evidence-before-fix': {
    title: 'evidence is older than the fix that it is to show',
    remedy: 'Use evidence that was made after the fix.',
  },
  'case.share-too-small': {
    title: 'fewer units show the fix than the certificate agreement asks for',
    remedy: 'Bring the fix to more units, and verify again.',
  },
  'case.share-overstated': {
    title: 'the decision states more than the collector has evidence for',
    remedy: 'State the figures that keepseal case show ID prints.',
  },
  'case.release-unknown': {
    title: 'the release that is said to bring the fix is not in force for the product',
    remedy: 'Activate it first: keepseal release list',
  },
  'case.not-critical': {
    title: 'a profile is lowered for a confirmed critical nonconformity alone',
    remedy: 'Fix what was found; or lower the guarantee of an existing product, with a public note.',
  },
  'case.certificate-in-force': {
    title: 'the certificate of the case is still in force',
    remedy: 'The case is closed by its fix; or the certificate is withdrawn or replaced first.',
  },
})
