import * as v from 'valibot'

/** What the agent takes of a gateway at least (docs/virtual-gateway.md has what was measured), with room for a report. */
const LEAST = { memoryMiB: 128, cpuPercent: 5 } as const
/** What its unit allows where nobody says otherwise. */
export const USUAL_AGENT_LIMITS = { memoryMiB: 224, cpuPercent: 50 } as const

const atLeast = (least: number, most: number, why: string) =>
  v.pipe(v.number(), v.integer('a whole number is wanted'), v.minValue(least, why), v.maxValue(most))

/** What a limitation leaves to the agent: memory in MiB, and percent of one core. */
export const agentLimitsSchema = v.strictObject({
  memoryMiB: atLeast(LEAST.memoryMiB, 65_536, `the agent needs ${LEAST.memoryMiB} MiB at least`),
  cpuPercent: atLeast(LEAST.cpuPercent, 10_000, `the agent needs ${LEAST.cpuPercent} percent of a core at least`),
})
export type AgentLimits = v.InferOutput<typeof agentLimitsSchema>

/** The tightest of what several limitations leave; undefined where none says anything. */
export function agentLimitsOf(
  limitations: readonly { readonly agent?: AgentLimits | undefined }[],
): AgentLimits | undefined {
  const all = limitations.flatMap(({ agent }) => agent ?? [])
  if (all.length === 0) return undefined
  return {
    memoryMiB: Math.min(...all.map(({ memoryMiB }) => memoryMiB)),
    cpuPercent: Math.min(...all.map(({ cpuPercent }) => cpuPercent)),
  }
}

/**
 * Drop-ins for the units, by their path below /etc/systemd/system. The memory of the helper stays as its unit has it: it
 * answers one question and ends.
 */
export function limitDropIns(
  { memoryMiB, cpuPercent }: AgentLimits,
  profile: string,
): Readonly<Record<string, string>> {
  const head = `# By the limitations of the profile ${profile}\n[Service]\nCPUQuota=${cpuPercent}%\n`
  // As the unit has it: from about seven tenths on memory is taken back, and the whole is the end.
  const high = Math.floor((memoryMiB * 7) / 10)
  return {
    'keepseal-agent.service.d/limits.conf': `${head}MemoryHigh=${high}M\nMemoryMax=${memoryMiB}M\n`,
    'keepseal-measure@.service.d/limits.conf': head,
  }
}
