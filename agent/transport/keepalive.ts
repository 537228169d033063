const SHORTEST_SECONDS = 60
/** What routers that translate addresses can be trusted to remember of a connection on which nothing goes. */
const LONGEST_SECONDS = 1200
const MARGIN_SECONDS = 30

/**
 * Time without a packet after which the broker is pinged. The reports themselves keep the connection alive where they
 * come often enough: a ping a minute would be much of what an agent sends in a day. That a broker is gone shows at the
 * next report, which it does not acknowledge.
 */
export const keepaliveFor = (report: { readonly intervalSeconds: number; readonly jitterSeconds: number }): number =>
  Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, report.intervalSeconds + report.jitterSeconds + MARGIN_SECONDS))
