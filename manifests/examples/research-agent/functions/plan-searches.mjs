// A question becomes a list of searches: its longer words. The question goes on as the subject, which a Map keeps.
//
//   { question } -> com.example.searches.planned { searches: [word, …] }
export default (event, { failure }) => {
  const { question } = event.data ?? {};
  // 400: the same event would be wrong again.
  if (typeof question !== 'string') throw failure('data.question: expected a string', { status: 400 });
  const words = question.toLowerCase().match(/\p{L}{4,}/gu) ?? [];
  return {
    type: 'com.example.searches.planned',
    subject: question,
    data: { searches: [...new Set(words)].slice(0, 8) },
  };
};
