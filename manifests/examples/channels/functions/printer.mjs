// Says what comes.
export default ({ type, data }, { logger }) => {
  logger.info(`${type} ${JSON.stringify(data)}`);
};
