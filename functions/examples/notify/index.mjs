// The end of a flow: says what came, and replies nothing.
export default (event, { logger }) => {
  const { category, priority, summary } = event.data;
  logger.info(`${event.subject ?? event.id}: ${priority} ${category} - ${summary}`);
};
