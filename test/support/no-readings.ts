/** Readings of a node that nothing happens on: what its metrics read when they are scraped. */
export const noReadings = {
  transactions: () => ({ server: 0, client: 0 }),
  eventLoopLag: () => 0,
  peers: () => 0,
  flows: () => 0,
  udp: () => [],
  streams: () => [],
  relays: () => ({}),
  leases: () => ({ isCurrent: false, held: 0, needed: 0, announced: 0, distrusts: 0 }),
  copied: () => ({}),
  evicted: () => ({}),
  dropped: () => ({}),
  failedLogins: () => 0,
  loadLevel: () => 0,
};
