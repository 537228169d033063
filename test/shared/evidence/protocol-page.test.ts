import { expect, it } from 'vitest'
import { errors } from '../../../shared/codes/errors.ts'
import { findings } from '../../../shared/codes/findings.ts'
import { outcomes } from '../../../shared/codes/outcomes.ts'
import { evidenceProfile } from '../../../shared/evidence/claims.ts'
import { STATE_LABELS } from '../../../shared/evidence/state.ts'
import {
  downTopic,
  epochTopic,
  restorePointTopic,
  successionTopic,
  upstreamTopic,
} from '../../../shared/evidence/topics.ts'
import { wireFormatText } from '../../support/cddl.ts'
import { expectDocument, readDocument } from '../../support/documents.ts'
import { ueid } from '../../support/messages.ts'

const PAGE = 'protocol.md'
const BLOCK = /```cddl\n[\s\S]*?\n```/

it('the page of the protocol holds the wire format as it is', () => {
  const page = readDocument(PAGE)
  expect(page.match(new RegExp(BLOCK, 'g'))).toHaveLength(1)
  expectDocument(
    PAGE,
    page.replace(BLOCK, () => `\`\`\`cddl\n${wireFormatText()}\`\`\``),
  )
})

it('the page of the protocol names every topic', () => {
  const kinds = ['evidence', 'section', 'presence'] as const
  const down = [downTopic(ueid), epochTopic, restorePointTopic, successionTopic]
  for (const topic of [...kinds.map((kind) => upstreamTopic(ueid, kind)), ...down]) {
    expect(readDocument(PAGE)).toContain(`\`${topic.replace(ueid, '{ueid}')}\``)
  }
})

it('the page of the protocol mentions no code that there is not', () => {
  const mentioned = [...readDocument(PAGE).matchAll(/`([a-z]+(?:-[a-z]+)*\.[a-z][a-z0-9]*(?:-[a-z0-9]+)*)`/g)].map(
    ([, code]) => code,
  )
  const known = new Set<string | undefined>([outcomes, findings, errors].flatMap((table) => Object.keys(table)))
  const others = mentioned.filter((code) => !known.has(code))
  expect(others).toEqual(
    others.filter((name) => /^(tpm\.(attest|signature|secret)|agent\.(result|interval))$/.test(name ?? '')),
  )
  expect(mentioned.length - others.length).toBeGreaterThan(20)
})

it('the page of the protocol names the profile', () => {
  const arc = evidenceProfile.subarray(1).reduce((number, octet) => (number << 7n) | BigInt(octet & 0x7f), 0n)
  expect(readDocument(PAGE)).toContain(`2.25.${arc}`)
})

it('the wire format lists the labels of the state', () => {
  for (const [name, label] of STATE_LABELS) expect(wireFormatText()).toContain(`${label}: ${name}`)
})
