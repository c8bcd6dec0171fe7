// Out of order for its first two calls (503, which is retried), well from the third on.
let calls = 0;

export default (event, { failure, logger }) => {
  calls += 1;
  if (calls <= 2) throw failure('out of order', { status: 503 });
  logger.info(`paid: ${event.id}`);
};
