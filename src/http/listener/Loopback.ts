const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Whether only this machine can reach an address or host name. */
export const isLoopback = (host: string): boolean => loopback.test(host)
