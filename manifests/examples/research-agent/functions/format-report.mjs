// The answer as a page of Markdown.
//
//   { question, answer, facts } -> com.example.report.ready, text/markdown
export default ({ data: { question, answer, facts } }) => ({
  type: 'com.example.report.ready',
  subject: question,
  datacontenttype: 'text/markdown',
  data: [`# ${question}`, answer, ...facts.map((it) => `- ${it}`)].join('\n'),
});
