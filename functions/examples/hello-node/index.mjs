// Node: a default export that takes the event. What it returns is the reply.
export default (event, { logger }) => {
  logger.info('greeting', { name: event.data.name });
  return { type: 'com.example.greeted', subject: event.subject, data: { greeting: `Hello, ${event.data.name}!` } };
};
