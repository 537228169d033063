SUMMARY = "A gateway that attests itself to a Keepseal collector"
LICENSE = "MIT"

inherit packagegroup

RDEPENDS:${PN} = "\
    keepseal-agent \
    ca-certificates \
    libtss2 \
    libtss2-mu \
    libtss2-tcti-device \
"
# For who looks after a unit by hand; the agent does not need it.
RRECOMMENDS:${PN} = "tpm2-tools"
