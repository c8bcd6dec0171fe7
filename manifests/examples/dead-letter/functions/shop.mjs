// Takes orders that name what is ordered. 400 is no status to retry: any other order is a dead letter at once.
export default (event, { failure, logger }) => {
  if (typeof event.data?.item !== 'string') throw failure('the order names no item', { status: 400 });
  logger.info(`sold: ${event.data.item}`);
};
