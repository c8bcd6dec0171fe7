// A model answers the question from the facts.
//
//   { question, facts } -> com.example.answer.written { question, answer, facts }
//
// Environment: ANTHROPIC_API_KEY (required), ANTHROPIC_BASE_URL and MODEL (optional).
import { agent } from 'millrace/agent';

export default agent({
  system: 'Answer the question in at most three sentences, and only with the facts. If they do not say it, say so.',
  prompt: ({ data: { question, facts } }) => JSON.stringify({ question, facts }, null, 2),
  reply: ({ data: { question, facts } }, { answer }) => ({
    type: 'com.example.answer.written',
    subject: question,
    data: { question, answer, facts },
  }),
});
