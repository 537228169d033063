import * as v from 'valibot'
import { toHex } from '../../../../shared/bytes/bytes.ts'
import { exitCodes, type ExitCode } from '../../../../shared/cli/exit-codes.ts'
import type { Output } from '../../../../shared/cli/output.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { connect, type ApiClient } from '../api.ts'
import { decide, decisionOptions } from '../decisions/decide.ts'
import { keyPath, readKey } from '../decisions/key-file.ts'
import { paragraph } from '../text.ts'
import type { ConnectionFlags } from '../settings.ts'
import { readCase, type CaseDetail } from './case.ts'

/** The options of every decision about a case. */
export const caseDecisionOptions = {
  ...decisionOptions,
  'dry-run': { description: 'Show which guards hold, and sign nothing.' },
} as const

const Guards = v.object({
  guards: v.array(v.object({ code: v.string(), wants: v.string(), wrong: v.nullable(v.string()) })),
})

type Flags = ConnectionFlags & { readonly key: string | undefined; readonly dryRun: boolean }

/** Signs a step of a case, or shows its guards. `detailOf`: what it says, of the case as it is now. */
export async function decideCase(
  { options, terminal, present, style }: Pick<Output, 'terminal' | 'present' | 'style'> & { readonly options: Flags },
  id: string,
  step: string,
  detailOf: (found: CaseDetail, client: ApiClient) => Json | Promise<Json>,
): Promise<ExitCode> {
  const client = connect(options, terminal.env)
  const detail = await detailOf(await readCase(client, id), client)
  const kind = `case.${step}`
  if (!options.dryRun) {
    const appended = await decide(options, terminal.env, { kind, subject: id, detail })
    const { state } = await readCase(client, id)
    present({ ...appended, case: id, state }, () => `${id} is ${printable(state)} now (entry ${appended.index})`)
    return exitCodes.good
  }
  const { signer } = readKey(keyPath(options.key, terminal.env))
  const body = { kind, subject: id, detail, keyId: toHex(signer.keyId) }
  const checked = await client.post('/decisions/check', body, Guards)
  const holds = checked.guards.every(({ wrong }) => wrong === null)
  present({ ...checked, kind, subject: id, detail, holds }, () =>
    [
      ...checked.guards.flatMap(({ code, wants, wrong }) => {
        if (wrong === null) return paragraph('', `${style('green', 'holds')}  ${printable(wants)}`)
        return paragraph('', `${style('red', 'fails')}  ${printable(`${wants} (${code}): ${wrong}`)}`)
      }),
      holds ? 'It would be taken. Nothing was signed.' : 'It would be refused. Nothing was signed.',
    ].join('\n'),
  )
  return holds ? exitCodes.good : exitCodes.finding
}
