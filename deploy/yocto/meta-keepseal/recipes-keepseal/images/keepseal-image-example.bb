SUMMARY = "An example of a gateway's image with the Keepseal agent"
LICENSE = "MIT"

inherit core-image

IMAGE_INSTALL += "packagegroup-keepseal"

# What makes this product this product; the serial number is the unit's own (docs/install.md).
KEEPSEAL_COLLECTOR ?= "https://collector.example.org:8443"
KEEPSEAL_VENDOR ?= "Example"
KEEPSEAL_MODEL ?= "Gateway"
KEEPSEAL_HARDWARE_REVISION ?= "A"

keepseal_product() {
    cat > ${IMAGE_ROOTFS}${sysconfdir}/keepseal/agent.d/product.toml <<TOML
[collector]
url = "${KEEPSEAL_COLLECTOR}"

[product]
vendor = "${KEEPSEAL_VENDOR}"
model = "${KEEPSEAL_MODEL}"
hardware_revision = "${KEEPSEAL_HARDWARE_REVISION}"
TOML
    chmod 0644 ${IMAGE_ROOTFS}${sysconfdir}/keepseal/agent.d/product.toml
}
ROOTFS_POSTPROCESS_COMMAND += "keepseal_product; "
