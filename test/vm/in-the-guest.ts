import type { GuestShell } from './machine/guest-shell.ts'

/** `SESSION SEQUENCE` of each report that waits for its receipt, as the names of the files tell it. */
export async function reportsInOutbox(shell: GuestShell): Promise<string[]> {
  const names = await shell.run('ls /var/lib/keepseal-agent/outbox')
  return [...names.matchAll(/^\d{12}-([0-9a-f]{32})-(\d+)-.*\.evidence$/gm)].map(
    ([, session, sequence]) => `${session} ${sequence}`,
  )
}

/**
 * What the package could have left: files by name, users, units, processes. Logs are not, nor what is the test's own,
 * nor what systemd remembers until the next boot.
 */
export async function tracesIn(shell: GuestShell): Promise<string[]> {
  const found = await shell.run(`
    find / -xdev -name '*keepseal*' -not -path '/root/*' -not -path '/var/log/*' -not -path '*.service.d'
    find /run -name '*keepseal*' -not -path '/run/log/*' -not -path '/run/systemd/*'
    getent passwd keepseal-agent
    getent group keepseal-agent
    systemctl list-units --all --plain --no-legend '*keepseal*' | grep -v '[.]slice'
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o '[/]usr/lib/keepseal/[^ ]*'
    true`)
  return found.split('\n').filter((line) => line !== '')
}
