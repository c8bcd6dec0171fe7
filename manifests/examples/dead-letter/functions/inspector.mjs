// A dead letter sink: the event as it was, and beside it where and why it failed.
export default (event, { logger }) => {
  const { knativeerrordest, knativeerrorcode, knativeerrordata = '' } = event;
  const answer = Buffer.from(String(knativeerrordata), 'base64').toString();
  logger.info(`${event.id} failed at ${knativeerrordest}: ${knativeerrorcode} ${answer}`);
};
