import { useRef } from 'preact/hooks'
import { get } from '../core/api.ts'
import { useResource } from '../core/resource.ts'
import type { CaseDetail, Certificate, List, Release } from '../core/types-more.ts'
import { dateTime, t, word } from '../i18n/text.ts'
import { CASE_FORMS } from '../model/case-forms.ts'
import { Decision } from './decision.tsx'

interface CaseDecisionProps {
  readonly entry: CaseDetail
  /** As it was when the form was begun. */
  readonly seen: CaseDetail
  readonly onSeen: (now: CaseDetail) => void
  readonly reload: () => void
}

/** Whether anything has changed that a decision rests on: what was decided, or how severe it is. */
const isSame = (before: CaseDetail, now: CaseDetail): boolean =>
  before.severity === now.severity && before.history.length === now.history.length

/** What comes next in a case: the step whose turn it is first, and every other that its state allows. */
export function CaseDecision({ entry, seen, onSeen, reload }: CaseDecisionProps) {
  const releases = useResource<List<Release>>(`/products/${seen.productId}/releases`)
  const certificate = useResource<Certificate>(`/certificates/${encodeURIComponent(seen.certificateId)}`)
  // By what was looked at: a form that somebody fills in does not go away because somebody else was quicker.
  const subject = {
    entry: seen,
    releases: releases.data?.items.map(({ id, name }) => ({ value: id, text: name })) ?? [],
    products: certificate.data?.products.map(({ product }) => product) ?? [],
  }
  const offered = CASE_FORMS.filter((form) => form.isOffered(subject))
  const isNext = ({ id }: (typeof CASE_FORMS)[number]): boolean => id === seen.next?.verb
  // What was read here may be newer than what the page has got.
  const read = useRef<CaseDetail>(entry)
  const latest = read.current.history.length > entry.history.length ? read.current : entry
  const meanwhile = latest.history
    .filter(({ index }) => !seen.history.some((each) => each.index === index))
    .map(({ at, name, step }) => `${dateTime(at)}: ${name}, ${word('decide.case', step)}`)
  return (
    <Decision
      forms={[...offered.filter(isNext), ...offered.filter((form) => !isNext(form))]}
      subject={subject}
      id={seen.id}
      newId={() => seen.id}
      meanwhile={meanwhile.length === 0 ? [t('decide.changed')] : meanwhile}
      isConflict={!isSame(seen, latest)}
      onSeen={() => {
        onSeen(latest)
        reload()
      }}
      look={async () => {
        read.current = await get<CaseDetail>(`/cases/${seen.id}`)
        reload()
        return isSame(seen, read.current)
      }}
      onSigned={async () => {
        read.current = await get<CaseDetail>(`/cases/${seen.id}`)
        onSeen(read.current)
        reload()
      }}
    />
  )
}
