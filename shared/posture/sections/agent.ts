import * as v from 'valibot'
import { describe, observation } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { text } from '../text.ts'

/** Whether one file holds the whole program, as it is shipped, or many do, as in a working copy. */
export const PROGRAM_FORMS = ['one-file', 'modules'] as const
export const AGENT_USERS = ['root', 'other'] as const

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

const settingSchema = v.strictObject({
  /** As in the configuration file: `report.interval_seconds`. */
  option: text(64),
  value: text(512),
})

const schema = v.strictObject({
  /** The agent's own version. */
  version: text(64),
  form: v.picklist(PROGRAM_FORMS),
  /** SHA-256 of the program as it was when it was started. `absent` for many files, of which one says nothing. */
  program: observation(digest),
  /** SHA-256 of the native binding that lies beside it: koffi. */
  binding: observation(digest),
  /** Either file is another one now than at the start: the next start runs something else. */
  replaced: observation(v.boolean()),
  runtime: v.strictObject({
    /** `node --version` */
    version: text(64),
    /** Of the command line and of NODE_OPTIONS, as `--jitless`. */
    flags: v.pipe(v.array(text(256)), v.maxLength(64)),
  }),
  user: v.picklist(AGENT_USERS),
  /** The options in force that bear on what is measured and sent, but for what is a unit's own. */
  configuration: v.pipe(v.array(settingSchema), v.maxLength(128)),
})

export type AgentContent = v.InferOutput<typeof schema>

const CONFIGURATION = {
  added: 'agent.configuration-changed',
  removed: 'agent.configuration-changed',
  changed: 'agent.configuration-changed',
} as const satisfies Fact['codes']

export const agent: SectionDefinition<AgentContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    runtime: { ...content.runtime, flags: sortedTexts(content.runtime.flags) },
    configuration: sortedUnique(content.configuration, ({ option, value }) => keyOf(option, value)),
  }),
  facts: (content) => [
    { subject: 'version', value: content.version },
    { subject: 'form', value: content.form },
    { subject: 'program', value: describe(content.program) },
    { subject: 'binding', value: describe(content.binding) },
    { subject: 'replaced', value: describe(content.replaced) },
    { subject: 'runtime.version', value: content.runtime.version },
    ...content.runtime.flags.map((flag) => ({ subject: `runtime.flag ${flag}`, value: 'given' })),
    { subject: 'user', value: content.user },
    ...content.configuration.map(({ option, value }) => ({
      subject: `configuration.${option}`,
      value,
      codes: CONFIGURATION,
    })),
  ],
}
