SUMMARY = "Measures this gateway and attests it to a Keepseal collector"
DESCRIPTION = "Reports the runtime posture of the gateway, with its boot proven by a TPM 2.0 quote, over MQTT."
LICENSE = "CLOSED"

# As TARGET in the artefact's name: one folder of JavaScript with the one compiled file of its processor.
KEEPSEAL_TARGET = ""
KEEPSEAL_TARGET:x86-64 = "amd64"
KEEPSEAL_TARGET:x86-64:libc-musl = "amd64-musl"
KEEPSEAL_TARGET:aarch64 = "arm64"
KEEPSEAL_TARGET:aarch64:libc-musl = "arm64-musl"
KEEPSEAL_TARGET:arm = "${@bb.utils.contains('TUNE_FEATURES', 'callconvention-hard', 'armhf', '', d)}"
KEEPSEAL_TARGET:arm:libc-musl = ""
KEEPSEAL_TARGET:riscv64 = "riscv64"
KEEPSEAL_TARGET:riscv64:libc-musl = ""

python () {
    if not d.getVar('KEEPSEAL_TARGET'):
        raise bb.parse.SkipRecipe('there is no agent for this processor, calling convention and C library')
}

# The units and files that the Debian package has, from where it has them.
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../../systemd:${THISDIR}/../../../../deb/agent:"
SRC_URI = "\
    file://${KEEPSEAL_ARTEFACTS}/keepseal-agent-${PV}-${KEEPSEAL_TARGET}.tar.gz \
    file://keepseal-agent.service \
    file://keepseal-measure.socket \
    file://keepseal-measure@.service \
    file://agent.toml \
    file://sysusers.conf \
    file://tmpfiles.conf \
    file://udev.rules \
"

# Newer releases unpack into a folder of its own, scarthgap into WORKDIR.
KEEPSEAL_UNPACKED = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"
S = "${KEEPSEAL_UNPACKED}/keepseal-agent-${PV}-${KEEPSEAL_TARGET}"

inherit systemd useradd

REQUIRED_DISTRO_FEATURES = "systemd"
inherit features_check

SYSTEMD_SERVICE:${PN} = "keepseal-agent.service keepseal-measure.socket"
SYSTEMD_AUTO_ENABLE = "enable"

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system tss; --system keepseal-agent"
USERADD_PARAM:${PN} = "--system --no-create-home --home-dir /var/lib/keepseal-agent --shell /sbin/nologin --gid keepseal-agent --groups tss keepseal-agent"

# The artefact's own digests hold, or there is no package.
do_compile() {
    cd ${S}
    sha256sum -c SHA256SUMS
}

do_install() {
    install -d ${D}${nonarch_libdir}/keepseal ${D}${sysconfdir}/keepseal/agent.d
    install -m 0644 ${S}/keepseal-agent.js ${S}/keepseal-measure.js ${S}/package.json ${S}/koffi-*.node ${D}${nonarch_libdir}/keepseal/
    ln -s ${bindir}/node ${D}${nonarch_libdir}/keepseal/node

    install -d ${D}${bindir} ${D}${sbindir}
    for program in ${bindir}/keepseal-agent ${sbindir}/keepseal-measure; do
        printf '#!/bin/sh\nexec ${nonarch_libdir}/keepseal/node --jitless ${nonarch_libdir}/keepseal/%s.js "$@"\n' \
            "$(basename $program)" > ${D}$program
        chmod 0755 ${D}$program
    done

    install -m 0644 ${KEEPSEAL_UNPACKED}/agent.toml ${D}${sysconfdir}/keepseal/agent.toml
    install -D -m 0644 ${KEEPSEAL_UNPACKED}/sysusers.conf ${D}${nonarch_libdir}/sysusers.d/keepseal-agent.conf
    install -D -m 0644 ${KEEPSEAL_UNPACKED}/tmpfiles.conf ${D}${nonarch_libdir}/tmpfiles.d/keepseal-agent.conf
    install -D -m 0644 ${KEEPSEAL_UNPACKED}/udev.rules ${D}${nonarch_base_libdir}/udev/rules.d/60-keepseal-agent.rules
    for unit in keepseal-agent.service keepseal-measure.socket keepseal-measure@.service; do
        install -D -m 0644 ${KEEPSEAL_UNPACKED}/$unit ${D}${systemd_system_unitdir}/$unit
    done
}

FILES:${PN} += "\
    ${nonarch_libdir}/keepseal \
    ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d \
    ${nonarch_base_libdir}/udev \
    ${systemd_system_unitdir} \
"
CONFFILES:${PN} = "${sysconfdir}/keepseal/agent.toml"

RDEPENDS:${PN} = "nodejs"
RRECOMMENDS:${PN} = "libtss2 libtss2-mu libtss2-tcti-device"

# Compiled by its makers, and named in the SBOM by its digest.
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INSANE_SKIP:${PN} += "already-stripped file-rdeps ldflags"
