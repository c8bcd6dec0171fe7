// What the searches have found, once each. A search that failed is one that found nothing.
//
//   [{ item, outcome, data: { word, found } }, …] -> com.example.facts.extracted { question, facts, failed }
export default ({ data, subject: question }) => {
  const facts = new Set(data.flatMap((it) => it.data?.found ?? []));
  const failed = data.filter((it) => it.outcome === 'failed').length;
  return { type: 'com.example.facts.extracted', subject: question, data: { question, facts: [...facts], failed } };
};
