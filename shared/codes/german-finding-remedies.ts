/** What to do about a finding, by its English text: many findings have the same. ./findings.ts has who has which. */
export const germanFindingRemedies: Readonly<Record<string, string>> = {
  'Expected after an update of the agent: keepseal device approve UEID. Otherwise install it anew from its package, and examine the gateway.':
    'Nach einem Update des Agenten zu erwarten: keepseal device approve UEID. Sonst aus seinem Paket neu installieren und das Gateway untersuchen.',
  'Undo the change on the gateway, or accept it: keepseal device approve UEID':
    'Die Änderung auf dem Gateway rückgängig machen oder annehmen: keepseal device approve UEID',
  'keepseal-agent doctor on the gateway tells which input it could not use.':
    'keepseal-agent doctor auf dem Gateway sagt, welche Eingabe er nicht nutzen konnte.',
  'Treat the gateway as possibly compromised; examine it, then: keepseal device approve UEID':
    'Das Gateway als womöglich kompromittiert behandeln; es untersuchen, dann: keepseal device approve UEID',
  'Expected after a firmware update of the TPM; otherwise examine the gateway. keepseal device approve UEID':
    'Nach einem Firmware-Update des TPM zu erwarten; sonst das Gateway untersuchen. keepseal device approve UEID',
  'keepseal-agent doctor on the gateway tells why. To do without the list: keepseal device approve UEID':
    'keepseal-agent doctor auf dem Gateway sagt, warum. Um auf die Liste zu verzichten: keepseal device approve UEID',
  'The agent is made to lie, or a kernel was started past the measured boot (kexec): examine the gateway.':
    'Der Agent wird zum Lügen gebracht, oder ein Kernel wurde am gemessenen Start vorbei gestartet (kexec): das Gateway untersuchen.',
  'Switch the bank off in the firmware setup (PCR allocation), or accept it: keepseal device approve UEID':
    'Die Bank in den Einstellungen der Firmware abschalten (PCR allocation) oder annehmen: keepseal device approve UEID',
  'Find out what wrote to the file; if that is normal, leave such files out of the IMA policy of the device.':
    'Herausfinden, was in die Datei geschrieben hat; ist das normal, solche Dateien aus der IMA-Richtlinie des Geräts herausnehmen.',
  'Find out where the file comes from; if it belongs to the product, add it: keepseal product ima-policy':
    'Herausfinden, woher die Datei kommt; gehört sie zum Produkt, sie aufnehmen: keepseal product ima-policy',
  'Revoke the device, find the copy, and enrol both anew.':
    'Das Gerät sperren, die Kopie finden und beide neu aufnehmen.',
  'Expected after somebody set the clock of the TPM forward; otherwise examine the gateway.':
    'Zu erwarten, nachdem jemand die Uhr des TPM vorgestellt hat; sonst das Gateway untersuchen.',
  'Expected after restoring an image; otherwise examine the gateway.':
    'Nach dem Zurückspielen eines Images zu erwarten; sonst das Gateway untersuchen.',
  'Look at the connection, or enlarge the outbox.': 'Die Verbindung prüfen oder den Ausgang vergrößern.',
  'keepseal-agent doctor on the gateway tells why.': 'keepseal-agent doctor auf dem Gateway sagt, warum.',
  'Install them on the gateway, or accept the state: keepseal device approve UEID':
    'Auf dem Gateway einspielen oder den Zustand annehmen: keepseal device approve UEID',
  'Install them with the next release, or accept the state: keepseal device approve UEID':
    'Mit dem nächsten Release einspielen oder den Zustand annehmen: keepseal device approve UEID',
  'Expected after they were installed: keepseal device approve UEID':
    'Zu erwarten, nachdem sie eingespielt wurden: keepseal device approve UEID',
  'Run the update check on the gateway and look at its sources; or accept: keepseal device approve UEID':
    'Auf dem Gateway nach Updates suchen und die Quellen prüfen; oder annehmen: keepseal device approve UEID',
  'Reboot the gateway if it is due; otherwise: keepseal device approve UEID':
    'Das Gateway neu starten, wenn es fällig ist; sonst: keepseal device approve UEID',
  'Remove the source, or what switches its signatures off (trusted=yes, gpgcheck=0, gpg-verify=false, a missing key), on the gateway. Accept it only if nobody else can write there: keepseal device approve UEID':
    'Auf dem Gateway die Quelle entfernen, oder was ihre Signaturen abschaltet (trusted=yes, gpgcheck=0, gpg-verify=false, ein fehlender Schlüssel). Nur annehmen, wenn sonst niemand dort schreiben kann: keepseal device approve UEID',
  'Remove the setting on the gateway, or accept it: keepseal device approve UEID':
    'Die Einstellung auf dem Gateway entfernen oder annehmen: keepseal device approve UEID',
  "Compare the fingerprint with the vendor's; restore the keyring, or accept it: keepseal device approve UEID":
    'Den Fingerabdruck mit dem des Herstellers vergleichen; den Schlüsselbund wiederherstellen oder annehmen: keepseal device approve UEID',
  "Install the vendor's next signing key on the gateway before that day.":
    'Vor diesem Tag den nächsten Signaturschlüssel des Herstellers auf dem Gateway einspielen.',
  "Install the vendor's new signing key on the gateway, and look whether its updates arrive again.":
    'Den neuen Signaturschlüssel des Herstellers auf dem Gateway einspielen und prüfen, ob seine Updates wieder ankommen.',
  'Start them again on the gateway (apt: unattended-upgrades, its two timers and APT::Periodic), or accept it: keepseal device approve UEID':
    'Auf dem Gateway wieder starten (apt: unattended-upgrades, seine beiden Timer und APT::Periodic) oder annehmen: keepseal device approve UEID',
  'Repair the file, or make it readable for the agent: keepseal-agent once --print --json shows which.':
    'Die Datei in Ordnung bringen oder für den Agenten lesbar machen: keepseal-agent once --print --json zeigt, welche.',
  'On the gateway: aa-status or sestatus shows what is off; aa-enforce PROFILE, setenforce 1, and the boot parameters apparmor=, selinux= and enforcing= bring it back. Or accept it: keepseal device approve UEID':
    'Auf dem Gateway zeigt aa-status oder sestatus, was abgeschaltet ist; aa-enforce PROFILE, setenforce 1 und die Startparameter apparmor=, selinux= und enforcing= bringen es zurück. Oder annehmen: keepseal device approve UEID',
  'Load a profile or policy for it and restart it, stop it, or accept it: keepseal device approve UEID':
    'Ein Profil oder eine Richtlinie dafür laden und es neu starten, es beenden oder annehmen: keepseal device approve UEID',
  'Mend /etc/fstab or the mount unit and mount it again, or accept it: keepseal device approve UEID':
    '/etc/fstab oder die Mount-Unit berichtigen und neu einhängen, oder annehmen: keepseal device approve UEID',
  'Set it again with sysctl -w and in /etc/sysctl.d, or accept it: keepseal device approve UEID':
    'Mit sysctl -w und in /etc/sysctl.d wieder setzen oder annehmen: keepseal device approve UEID',
  'Find out where it comes from; remove it or its bits with chmod ug-s, or accept it: keepseal device approve UEID':
    'Herausfinden, woher es kommt; es entfernen oder ihm mit chmod ug-s die Bits nehmen, oder annehmen: keepseal device approve UEID',
  'Give the file or directory back to root (chown root:root, chmod go-w) and reinstall what may have been replaced, or accept it: keepseal device approve UEID':
    'Datei oder Verzeichnis an root zurückgeben (chown root:root, chmod go-w) und neu installieren, was ersetzt worden sein kann, oder annehmen: keepseal device approve UEID',
  'Use an encrypted device or zram for swap, or accept it: keepseal device approve UEID':
    'Für Swap ein verschlüsseltes Gerät oder zram nehmen, oder annehmen: keepseal device approve UEID',
  'Restore usbguard, authorized_default or the rule of modprobe.d, or accept it: keepseal device approve UEID':
    'usbguard, authorized_default oder die Regel in modprobe.d wiederherstellen, oder annehmen: keepseal device approve UEID',
  'Switch it off (boot parameter console=, getty unit, inittab, kgdboc), or accept it: keepseal device approve UEID':
    'Abschalten (Startparameter console=, getty-Unit, inittab, kgdboc) oder annehmen: keepseal device approve UEID',
  'keepseal-agent doctor on the gateway tells why; keepseal-measure sees what needs root.':
    'keepseal-agent doctor auf dem Gateway sagt, warum; keepseal-measure sieht, was root braucht.',
  'Start it again on the gateway (chrony, systemd-timesyncd, ntpd), or accept it: keepseal device approve UEID':
    'Auf dem Gateway wieder starten (chrony, systemd-timesyncd, ntpd) oder annehmen: keepseal device approve UEID',
  'Add nts to each server in the configuration, or accept it: keepseal device approve UEID':
    'In der Konfiguration jedem Server nts hinzufügen oder annehmen: keepseal device approve UEID',
  'Start the log service and restore its target, or accept it: keepseal device approve UEID':
    'Den Protokolldienst starten und sein Ziel wiederherstellen, oder annehmen: keepseal device approve UEID',
  'Restore TLS for every target, or accept it: keepseal device approve UEID':
    'TLS für jedes Ziel wiederherstellen oder annehmen: keepseal device approve UEID',
  'Start auditd again, and remove audit=0 from the boot parameters; or accept it: keepseal device approve UEID':
    'auditd wieder starten und audit=0 aus den Startparametern entfernen; oder annehmen: keepseal device approve UEID',
  'Repair the file, or let keepseal-measure read it: keepseal-agent once --print --json shows which.':
    'Die Datei in Ordnung bringen oder keepseal-measure sie lesen lassen: keepseal-agent once --print --json zeigt, welche.',
  'Load the rules again on the gateway (systemctl restart nftables, or ufw, firewalld, fw4) and look who removed them; or accept it: keepseal device approve UEID':
    'Die Regeln auf dem Gateway wieder laden (systemctl restart nftables, oder ufw, firewalld, fw4) und nachsehen, wer sie entfernt hat; oder annehmen: keepseal device approve UEID',
  'Set the policy of the chain to drop again on the gateway, or accept it: keepseal device approve UEID':
    'Auf dem Gateway die Policy der Kette wieder auf drop setzen oder annehmen: keepseal device approve UEID',
  'It takes effect with the next start: undo it on the gateway, or accept it: keepseal device approve UEID':
    'Es wirkt ab dem nächsten Start: auf dem Gateway rückgängig machen oder annehmen: keepseal device approve UEID',
  'Look whether keepseal-measure runs on the gateway: keepseal-agent once --print --json shows the reason.':
    'Nachsehen, ob keepseal-measure auf dem Gateway läuft: keepseal-agent once --print --json zeigt den Grund.',
  'Remove the account on the gateway, find out who made it, and examine the gateway.':
    'Das Konto auf dem Gateway entfernen, herausfinden, wer es angelegt hat, und das Gateway untersuchen.',
  'Lock it (passwd -l NAME) or give it a password on the gateway; or accept it: keepseal device approve UEID':
    'Auf dem Gateway sperren (passwd -l NAME) oder ihm ein Kennwort geben; oder annehmen: keepseal device approve UEID',
  'Set PasswordAuthentication no and KbdInteractiveAuthentication no (dropbear: -s, or PasswordAuth off) on the gateway, or accept it: keepseal device approve UEID':
    'Auf dem Gateway PasswordAuthentication no und KbdInteractiveAuthentication no setzen (dropbear: -s oder PasswordAuth off), oder annehmen: keepseal device approve UEID',
  'Set PermitRootLogin no or prohibit-password (dropbear: -g, or RootPasswordAuth off) on the gateway, or accept it: keepseal device approve UEID':
    'Auf dem Gateway PermitRootLogin no oder prohibit-password setzen (dropbear: -g oder RootPasswordAuth off), oder annehmen: keepseal device approve UEID',
  'Set PermitEmptyPasswords no (dropbear: without -B) on the gateway, or accept it: keepseal device approve UEID':
    'Auf dem Gateway PermitEmptyPasswords no setzen (dropbear: ohne -B), oder annehmen: keepseal device approve UEID',
  'Choose yescrypt or sha512 (ENCRYPT_METHOD in /etc/login.defs, pam_unix) and set the password anew.':
    'yescrypt oder sha512 wählen (ENCRYPT_METHOD in /etc/login.defs, pam_unix) und das Kennwort neu setzen.',
  'Let the update of the gateway finish, or install the release anew: it was tested by nobody as it is.':
    'Das Update des Gateways zu Ende laufen lassen oder das Release neu installieren: so, wie es ist, hat es niemand geprüft.',
  'Update the gateway to an accepted release: keepseal release list --product PRODUCT shows which.':
    'Das Gateway auf ein angenommenes Release bringen: keepseal release list --product PRODUCT zeigt, welche es gibt.',
  'Update the gateway again. Where going back was meant, accept it: keepseal device approve UEID. Below the minimum nothing accepts it.':
    'Das Gateway wieder aktualisieren. War der Rückschritt gewollt, annehmen: keepseal device approve UEID. Unter dem Minimum nimmt ihn nichts an.',
  'keepseal-agent status on the gateway tells what it waits for; look at its power and its connection.':
    'keepseal-agent status auf dem Gateway sagt, worauf er wartet; Strom und Verbindung prüfen.',
  'keepseal-agent status on the gateway tells what it waits for; look at its power and its connection. Silence proves nothing good: a failure stays one.':
    'keepseal-agent status auf dem Gateway sagt, worauf er wartet; Strom und Verbindung prüfen. Schweigen beweist nichts Gutes: Ein Fehlschlag bleibt einer.',
}
