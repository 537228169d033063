/** CPU time of this process for an action, in microseconds. */
export async function cpuOf(action: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await action()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
