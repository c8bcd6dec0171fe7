// Says what came, and replies nothing.
export default (event, { logger }) => logger.info(`${event.type} from ${event.source}`);
