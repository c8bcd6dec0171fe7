// The end: says what came, and replies nothing.
export default ({ data }, { logger }) => {
  for (const line of data.split('\n')) logger.info(line);
};
