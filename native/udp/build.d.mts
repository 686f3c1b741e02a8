/** Returns "compiled", "up to date", or the reason why there is no addon. */
export function buildUdpAddon(): string;
