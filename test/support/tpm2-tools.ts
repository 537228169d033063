import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Runs a program of tpm2-tools, an implementation that shares nothing with ours above tpm2-tss. Rejects when it
 * fails. A software TPM serves one client at a time: close ours before. `tcti` undefined: for tools that need no TPM.
 */
export async function tpm2(tcti: string | undefined, tool: string, ...parameters: string[]): Promise<string> {
  const environment = { ...process.env, TPM2TOOLS_TCTI: tcti ?? 'none', TSS2_LOG: 'all+NONE' }
  return (await run(`tpm2_${tool}`, parameters, { env: environment, timeout: 30_000 })).stdout
}
