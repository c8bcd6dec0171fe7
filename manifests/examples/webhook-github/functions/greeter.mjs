// Says which issue was opened; an answer to its author would begin here.
export default ({ data }, { logger }) => {
  const { title, user } = data.issue;
  logger.info(`${user?.login ?? 'somebody'} opened "${title}"`);
};
