// Says which record came, and replies nothing.
export default (event, { logger }) => logger.info(`${event.source} ${event.subject}, key ${event.key ?? '(none)'}`);
