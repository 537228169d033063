// Whether the collector in this container can do its work: /readyz of the metrics' server, which asks for no certificate
// on loopback. A file, for what a shell would read otherwise is lost on its way through some tools for containers.
const { ok } = await fetch('http://127.0.0.1:9464/readyz').catch(() => ({ ok: false }))
process.exitCode = ok ? 0 : 1
