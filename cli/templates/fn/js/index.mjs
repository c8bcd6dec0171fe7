// What it returns is the reply; nothing is no reply. `failure` with a status from 400 to 499 is not tried again.
export default ({ data, subject }, { logger, failure }) => {
  if (typeof data?.name !== 'string') throw failure('data.name: expected a text', { status: 400 });
  logger.info('greeting', { name: data.name });
  return { type: '__NAME__.answered', subject, data: { greeting: `Hello, ${data.name}!` } };
};
