// kafkajs has types for its front door only.
declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { new (options: object): object; readonly prototype: object };
  export default RequestQueue;
}
declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Record<string, number>;
  export default apiKeys;
}
declare module 'kafkajs/src/protocol/requests/index.js' {
  const protocol: { readonly requests: Record<string, { readonly versions: readonly string[] }> };
  export default protocol;
}
