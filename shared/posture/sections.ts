import type { SectionDefinition } from './section-definition.ts'
import { access, type AccessContent } from './sections/access.ts'
import { agent, type AgentContent } from './sections/agent.ts'
import { boot, type BootContent } from './sections/boot.ts'
import { hardening, type HardeningContent } from './sections/hardening.ts'
import { operations, type OperationsContent } from './sections/operations.ts'
import { firewall, type FirewallContent } from './sections/firewall.ts'
import { packages, type PackagesContent } from './sections/packages.ts'
import { patchLevel, type PatchLevelContent } from './sections/patch-level.ts'
import { sockets, type SocketsContent } from './sections/sockets.ts'
import { system, type SystemContent } from './sections/system.ts'
import { tpm, type TpmContent } from './sections/tpm.ts'
import { updateChannel, type UpdateChannelContent } from './sections/update-channel.ts'

export interface SectionContents {
  boot: BootContent
  tpm: TpmContent
  sockets: SocketsContent
  packages: PackagesContent
  'patch-level': PatchLevelContent
  system: SystemContent
  'update-channel': UpdateChannelContent
  hardening: HardeningContent
  operations: OperationsContent
  firewall: FirewallContent
  access: AccessContent
  agent: AgentContent
}

/** The parts of a posture. All of them are asserted by the agent: no TPM measured them. */
export type SectionId = keyof SectionContents

export const SECTIONS: { readonly [S in SectionId]: SectionDefinition<SectionContents[S]> } = {
  boot,
  tpm,
  sockets,
  packages,
  'patch-level': patchLevel,
  system,
  'update-channel': updateChannel,
  hardening,
  operations,
  firewall,
  access,
  agent,
}

export const SECTION_IDS = Object.keys(SECTIONS) as readonly SectionId[]

export function isSectionId(id: string): id is SectionId {
  return Object.hasOwn(SECTIONS, id)
}
