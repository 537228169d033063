import type { GuestFile } from './tree.ts'

/** Where the test gives commands to the guest: a port of virtio-serial, so that nothing listens on its network. */
export const SHELL_PORT = 'shell.test'

export const ROOT_UUID = '6b656570-7365-616c-0000-000000000001'

/** Reads `ID BASE64(command)` and answers `ID STATUS BASE64(output)`, line by line. */
const SHELL = `#!/bin/bash
exec 3<>/dev/virtio-ports/${SHELL_PORT}
read -r up _ < /proc/uptime
echo "ready 0 $(base64 -w0 <<< "$up")" >&3
while read -r id command <&3; do
  base64 -d <<< "$command" | timeout 300 bash > /run/test-shell.out 2>&1
  echo "$id $? $(base64 -w0 /run/test-shell.out)" >&3
done
`

/** What makes the tree one that boots in the virtual machine. Nothing of it is the product's. */
export const GUEST_FILES: Readonly<Record<string, GuestFile>> = {
  'etc/hostname': { content: 'gateway\n' },
  'etc/hosts': { content: '127.0.0.1 localhost\n127.0.1.1 gateway\n' },
  'etc/fstab': { content: `UUID=${ROOT_UUID} / ext4 defaults 0 1\n` },
  'etc/systemd/network/10-static.network': {
    content: '[Match]\nType=ether\n\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\n',
  },
  // The cloud kernel has these as modules.
  'etc/initramfs-tools/conf.d/test': { content: 'MODULES=list\nFSTYPE=ext4\n' },
  'usr/share/initramfs-tools/modules.d/test': { content: 'virtio_pci\nvirtio_blk\n' },
  'etc/modules-load.d/test.conf': { content: 'efivarfs\nvirtio_console\n' },
  // In memory: root reads it while it is written, which the kernel's measurement of files on disk rightly reports.
  'etc/systemd/journald.conf.d/volatile.conf': { content: '[Journal]\nStorage=volatile\n' },
  // The emulated processor has a small part of the speed of any gateway's: half of it is too little to start in time.
  'etc/systemd/system/keepseal-agent.service.d/emulated.conf': { content: '[Service]\nCPUQuota=\n' },
  'usr/local/sbin/test-shell': { content: SHELL, mode: 0o755 },
  'etc/systemd/system/test-shell.service': {
    content: `[Unit]
Description=Commands of the test
DefaultDependencies=yes

[Service]
ExecStart=/usr/local/sbin/test-shell
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`,
  },
}

/** Work at boot that no gateway of the test needs. node-exporter is started by the test, as a listener that is new. */
export const UNWANTED_UNITS: readonly string[] = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
  'getty@tty1.service',
  'serial-getty@ttyS0.service',
]
