// Makes one view of what the branches said: [{ branch, outcome, data | reason }, …].
export default ({ data, subject }, { logger }) => {
  const said = data.map(({ branch, outcome, data: answer, reason }) =>
    outcome === 'succeeded'
      ? `${branch}: ${JSON.stringify(answer)}`
      : `${branch} ${outcome}${reason ? `: ${reason}` : ''}`,
  );
  logger.info(`${subject}: ${said.join('; ')}`);
};
