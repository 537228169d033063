import type { Tree } from './host-tree.ts'

/** What the package unattended-upgrades puts into 20auto-upgrades. */
export const PERIODIC_ON = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'

const wants = '/etc/systemd/system'
const lib = '/lib/systemd/system'

/** unattended-upgrades as Debian installs it: the tool, apt's two timers, and its own service, all enabled. */
export const ENABLED: Tree = {
  '/usr/bin/unattended-upgrade': '#!/usr/bin/python3\n',
  [`${lib}/apt-daily.timer`]: '[Timer]\nOnCalendar=*-*-* 6,18:00\nRandomizedDelaySec=12h\n',
  [`${lib}/apt-daily-upgrade.timer`]: '[Timer]\nOnCalendar=*-*-* 6:00\nRandomizedDelaySec=60m\n',
  [`${lib}/unattended-upgrades.service`]: '[Service]\n',
  [`${wants}/timers.target.wants/apt-daily.timer`]: { link: `${lib}/apt-daily.timer` },
  [`${wants}/timers.target.wants/apt-daily-upgrade.timer`]: { link: `${lib}/apt-daily-upgrade.timer` },
  [`${wants}/multi-user.target.wants/unattended-upgrades.service`]: { link: `${lib}/unattended-upgrades.service` },
}

/** systemd runs, and has for an hour; no service has a control group. */
export const RUNNING: Tree = {
  '/run/systemd/system': { directory: true },
  '/proc/uptime': '3600.00 100.00\n',
  '/sys/fs/cgroup/system.slice': { directory: true },
}
